"""`eyas alerts ack|close|comment|silence|silences`."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from eyas.alert import escaped, iso8601, unseen
from eyas.cli.alerts.options import folder_of, me, reading_from, store_options, writing_to
from eyas.delivery import stored
from eyas.errors import UsageError
from eyas.hub import closing, moments, reading, recurring, silences
from eyas.hub.filter import parse
from eyas.hub.reading import Remark

who = click.option("--as", "who", metavar="NAME", help="Whose word it is; the user's if not given.")
names = click.argument("alerts", nargs=-1, required=True)


@click.command("ack")
@names
@store_options
@who
@click.option("--comment", default="", help="Why.")
def ack_command(
    alerts: tuple[str, ...], store: Path | None, config_file: Path | None, who: str | None, comment: str
) -> None:
    """Say that someone looks into ALERTS."""
    _remark(
        folder_of(store, config_file), alerts, Remark(0, who or me(), "acknowledged", comment), "acknowledged"
    )


@click.command("close")
@names
@store_options
@who
@click.option("--comment", default="", help="Why.")
def close_command(
    alerts: tuple[str, ...], store: Path | None, config_file: Path | None, who: str | None, comment: str
) -> None:
    """Say that ALERTS are settled."""
    _remark(folder_of(store, config_file), alerts, Remark(0, who or me(), "closed", comment), "closed")


@click.command("comment")
@click.argument("alert")
@click.argument("text")
@store_options
@who
def comment_command(
    alert: str, text: str, store: Path | None, config_file: Path | None, who: str | None
) -> None:
    """Write TEXT down about ALERT."""
    _remark(folder_of(store, config_file), (alert,), Remark(0, who or me(), "said", text), None)


def _remark(folder: Path, alerts: tuple[str, ...], made: Remark, status: str | None) -> None:
    with writing_to(folder) as db:
        found = [reading.one(db, name) for name in alerts]
        for kept in found:
            reading.remark(db, kept.id, Remark(time.time_ns(), made.who, made.kind, made.text), status)
            if status == closing.CLOSED:
                closing.take_back(db, kept)
            click.echo(f"{kept.id}: {made.kind}", err=True)


@click.command("silence")
@click.argument("condition")
@store_options
@click.option("--from", "begin", default="now", metavar="TIME", help="When it begins; now if not given.")
@click.option("--for", "how_long", metavar="DURATION", help="How long: 2h.")
@click.option("--until", metavar="TIME", help="When it ends, instead of --for.")
@click.option(
    "--every", metavar="HOURS", default="", help="Only in these hours of the week: sun 02:00-04:00."
)
@click.option("--reason", required=True, help="Why.")
@click.option("--owner", help="Who answers for it; the user if not given.")
def silence_command(
    condition: str,
    store: Path | None,
    config_file: Path | None,
    begin: str,
    how_long: str | None,
    until: str | None,
    every: str,
    reason: str,
    owner: str | None,
) -> None:
    """Keep alerts that meet CONDITION quiet for a while. They are kept and counted; nobody is told.

    A maintenance window is a silence with --from, or with --every if it comes back each day or week.

    \b
    eyas alerts silence 'host = db-1' --from 22:00 --for 2h --reason 'upgrade of the database' --owner ann
    eyas alerts silence 'host = db-1' --every 'sun 02:00-04:00' --for 90d --reason 'weekly backup'
    """
    parse(condition)
    if every:
        recurring.parse(every)
    if (how_long is None) == (until is None):
        raise UsageError("a silence has an end", "write --for 2h or --until 18:00")
    starts = moments.moment(begin)
    ends = moments.moment(until) if until else starts + moments.length(how_long or "")
    if ends <= starts:
        raise UsageError("the silence ends before it begins")
    with writing_to(folder_of(store, config_file)) as db:
        number = silences.add(db, condition, starts, ends, owner or me(), reason, every)
    click.echo(f"silence {number} until {stored.local(ends)}", err=True)


@click.command("silences")
@store_options
@click.option("--end", "number", type=int, metavar="NUMBER", help="End this one now.")
@click.option("--all", "past", is_flag=True, help="Also those that are over.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def silences_command(
    store: Path | None, config_file: Path | None, number: int | None, past: bool, as_json: bool
) -> None:
    """List silences with their owner, reason and what they held back."""
    folder, now = folder_of(store, config_file), time.time_ns()
    if number is not None:
        with writing_to(folder) as db:
            if not silences.end(db, number, now):
                raise UsageError(f"there is no silence {number}")
    with reading_from(folder) as db:
        found = [one for one in silences.every(db) if past or one.ends > now]
    for one in found:
        if as_json:
            body = {
                "number": one.number,
                "condition": one.condition.text,
                "starts": iso8601(one.starts, "Z"),
                "ends": iso8601(one.ends, "Z"),
                "every": one.every,
                "owner": one.owner,
                "reason": one.reason,
                "held": one.held,
            }
            click.echo(unseen(json.dumps(body, ensure_ascii=False)))
        else:
            hours = f", {one.every}" if one.every else ""
            click.echo(
                f"{one.number:>4}  {stored.local(one.starts)} to {stored.local(one.ends)}{hours}  held {one.held}  "
                f"{escaped(one.owner)}: {escaped(one.reason)}  {escaped(one.condition.text)}"
            )
