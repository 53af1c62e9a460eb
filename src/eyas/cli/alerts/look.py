"""`eyas alerts list|search|show|tail|stats`."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from eyas.alert import escaped, iso8601, unseen
from eyas.cli.alerts.options import Wanted, folder_of, found, reading_from, store_options, time_options
from eyas.delivery import journal, stored
from eyas.hub import export, reading, silences
from eyas.hub.filter import parse
from eyas.hub.reading import STATUSES, Kept, Query

COLOURS = {0: "red", 1: "red", 2: "red", 3: "magenta", 4: "yellow", 5: "cyan", 6: "blue", 7: "white"}
NUMBER = 50
POLL = 0.5

as_json = click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
limit = click.option("-n", "--limit", default=NUMBER, show_default=True, help="How many at most; 0 is all.")
status = click.option(
    "--status", multiple=True, type=click.Choice(STATUSES), help="Only this status; repeatable."
)
archived = click.option("--archive", "archived", is_flag=True, help="Search the archive too.")


@click.command("list")
@store_options
@time_options
@limit
@status
@as_json
def list_command(
    store: Path | None,
    config_file: Path | None,
    since: str | None,
    until: str | None,
    limit: int,
    status: tuple[str, ...],
    as_json: bool,
) -> None:
    """List alerts, the newest first.

    \b
    eyas alerts list --since 2h --status open
    """
    wanted = Wanted("", since, until, limit or None, status)
    show_lines(found(folder_of(store, config_file), wanted), as_json)


@click.command("search")
@click.argument("condition")
@store_options
@time_options
@limit
@status
@archived
@as_json
def search_command(
    condition: str,
    store: Path | None,
    config_file: Path | None,
    since: str | None,
    until: str | None,
    limit: int,
    status: tuple[str, ...],
    archived: bool,
    as_json: bool,
) -> None:
    """Search alerts by a CONDITION in the language of rules.

    \b
    eyas alerts search 'rule contains shell and priority >= warning' --since yesterday
    eyas alerts search 'tags in (T1059) and proc.name != bash' --json
    eyas alerts search 'container.id = 3f2a9c0b1d4e' --archive
    """
    wanted = Wanted(condition, since, until, limit or None, status, archived)
    show_lines(found(folder_of(store, config_file), wanted), as_json)


def show_lines(alerts: Iterable[Kept], as_json: bool) -> None:
    """Print alerts, one a line."""
    for kept in alerts:
        click.echo(
            unseen(json.dumps(export.falco(kept), sort_keys=True, ensure_ascii=False))
            if as_json
            else line(kept)
        )


def line(kept: Kept) -> str:
    """An alert as one line for people."""
    number = stored.severity(kept.alert.priority)
    priority = click.style(f"{kept.alert.priority:<13}", fg=COLOURS[number], bold=number < 3)
    often = f" ({kept.count} times)" if kept.count > 1 else ""
    mark = "" if kept.status == "open" else f" [{kept.status}]"
    return (
        f"{stored.local(kept.alert.ts)}  {kept.id[:10]}  {priority} "
        f"{click.style(escaped(kept.alert.rule), bold=True)}{often}{mark}  {escaped(kept.alert.message)}"
    )


@click.command("show")
@click.argument("alert")
@store_options
@as_json
def show_command(alert: str, store: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Show everything about ALERT: an id, the beginning of one, or `last`."""
    with reading_from(folder_of(store, config_file)) as db:
        kept = reading.one(db, alert)
        said = reading.remarks(db, kept.id)
        waits = db.execute("SELECT output FROM pending WHERE seq = ?", (kept.seq,)).fetchall()
        refused = db.execute("SELECT output, reason FROM refused WHERE seq = ?", (kept.seq,)).fetchall()
    if as_json:
        body = export.falco(kept) | {
            "remarks": [
                {"at": iso8601(r.at, "Z"), "who": r.who, "kind": r.kind, "text": r.text} for r in said
            ],
            "examples": list(kept.examples),
            "waiting": [row[0] for row in waits],
            "refused": [{"output": output, "reason": reason} for output, reason in refused],
        }
        click.echo(unseen(json.dumps(body, sort_keys=True, ensure_ascii=False, indent=2)))
        return
    click.echo(line(kept))
    for name, value in _facts(kept).items():
        click.echo(f"  {name:<24} {escaped(str(value))}")
    for text in kept.examples if kept.count > 1 else ():
        click.echo(f"  {'example':<24} {escaped(text)}")
    for remark in said:
        click.echo(
            f"  {stored.local(remark.at)}  {escaped(remark.who)}: {remark.kind} {escaped(remark.text)}"
        )
    for (output,) in waits:
        click.echo(f"  waits for {output}")
    for output, reason in refused:
        click.echo(f"  refused by {output}: {escaped(reason)}")


def _facts(kept: Kept) -> dict[str, Any]:
    alert = kept.alert
    facts: dict[str, Any] = {
        "id": kept.id,
        "status": kept.status,
        "source": alert.source,
        "host": alert.hostname,
    }
    if alert.tags:
        facts["tags"] = ", ".join(alert.tags)
    if kept.count > 1:
        facts |= {"count": kept.count, "first": iso8601(kept.first, "Z"), "last": iso8601(kept.last, "Z")}
    carried = alert.eyas.get("carried") or {}
    return {
        **facts,
        **{key: value for key, value in {**carried, **alert.fields}.items() if value not in (None, "")},
    }


@click.command("tail")
@click.argument("condition", required=False, default="")
@store_options
@click.option("-n", "--lines", default=10, show_default=True, help="How many to begin with.")
@click.option("--once", is_flag=True, help="End after these.")
@as_json
def tail_command(
    condition: str, store: Path | None, config_file: Path | None, lines: int, once: bool, as_json: bool
) -> None:
    """Follow alerts as they come; only those that meet CONDITION if one is given."""
    wanted = parse(condition) if condition else None
    with reading_from(folder_of(store, config_file)) as db:
        first = list(reading.select(db, Query(wanted, limit=lines)))
        show_lines(reversed(first), as_json)
        last = db.execute("SELECT coalesce(max(seq), 0) FROM alert").fetchone()[0]
        while not once:
            sys.stdout.flush()
            time.sleep(POLL)
            for kept in reading.select(db, Query(wanted, oldest_first=True, after=last or -1)):
                last = max(last, kept.seq)
                show_lines([kept], as_json)


@click.command("stats")
@click.argument("condition", required=False, default="")
@store_options
@time_options
@archived
@as_json
def stats_command(
    condition: str,
    store: Path | None,
    config_file: Path | None,
    since: str | None,
    until: str | None,
    archived: bool,
    as_json: bool,
) -> None:
    """Count alerts by priority, rule, source and more, and say what was held back, discarded or refused."""
    folder = folder_of(store, config_file)
    counts = reading.counts(found(folder, Wanted(condition, since, until, archived=archived)))
    with reading_from(folder) as db:
        counters = journal.counters(db)
        depths = {name: journal.depth(db, name).count for name in journal.outputs(db)}
        quiet = {s.number: s.held for s in silences.every(db) if s.held}
    counters = {name: n for name, n in counters.items() if not name.startswith(("highest", "takes back:"))}
    if as_json:
        body = {
            "alerts": counts.alerts,
            "occurrences": counts.occurrences,
            "by": {name: dict(found.most_common()) for name, found in counts.by.items()},
            "counters": counters,
            "waiting": depths,
            "silenced": quiet,
        }
        click.echo(unseen(json.dumps(body, ensure_ascii=False, indent=2)))
        return
    click.echo(f"{counts.alerts} alerts that stand for {counts.occurrences} events")
    for name, values in counts.by.items():
        _block(f"by {name}", values)
    _block("waiting for receivers", Counter(depths))
    _block("held back, discarded, refused", Counter(counters))
    _block("held by silences", Counter({f"silence {number}": held for number, held in quiet.items()}))


def _block(title: str, values: Counter[str], most: int = 15) -> None:
    if not values:
        return
    click.echo(f"{title}:")
    for value, number in values.most_common(most):
        click.echo(f"  {number:>9}  {escaped(value)}")
    if len(values) > most:
        click.echo(f"  {'':>9}  and {len(values) - most} more")
