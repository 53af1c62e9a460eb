"""`eyas rules explain`: what a rule asks, what it needs, and which parts held on an event."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eyas import alert, catalog, lang, pipeline, rules
from eyas.cli.options import report
from eyas.cli.rules import collected, pages, tree
from eyas.cli.rules.paths import count, load
from eyas.errors import RunError, UsageError
from eyas.intake.decoding import decoded
from eyas.rules import Compiled
from eyas.sources import members

if TYPE_CHECKING:
    from eyas._core import Program


@click.command("explain")
@click.argument("name", required=False)
@click.option("-r", "--rules", "paths", multiple=True, type=Path, help="Rule file or folder; repeatable.")
@click.option("--capture", type=Path, help="Capture, or file of records, with the event to explain.")
@click.option(
    "--event", "num", type=int, help="Number of the event (evt.num); without it, where the rule holds."
)
@click.option("--collect", is_flag=True, help="What the kernel collects for it; for every rule without NAME.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    name: str | None,
    paths: tuple[Path, ...],
    capture: Path | None,
    num: int | None,
    collect: bool,
    as_json: bool,
) -> None:
    """Show the compiled rule NAME and what it needs; with an event, which parts held. NAME may be a code of a fault.

    \b
    eyas rules explain "Web server starts a shell"
    eyas rules explain "Web server starts a shell" --capture trace.scap --event 4711
    eyas rules explain LOAD_NO_EVTTYPE
    eyas rules explain --collect
    """
    if num is not None and capture is None:
        raise UsageError("--event is the number of an event in a capture", "add --capture FILE")
    if collect:
        loaded = load(paths)
        chosen = loaded.active if name is None else [_named(name, loaded)]
        collected.show(chosen, catalog.load(), as_json)
        return
    if name is None:
        raise UsageError("which rule?", "`eyas rules list` names them; --collect explains all")
    page = pages.page(name)
    if page is not None:
        click.echo(page)
        return
    loaded = load(paths)
    if not loaded.rules:
        report(loaded)
    rule = _named(name, loaded)
    if capture is None:
        known = catalog.load()
        click.echo(json.dumps(_json(rule, known), indent=1) if as_json else "\n".join(_told(rule, known)))
        return
    if num is None:
        click.echo(
            json.dumps(_held(capture, rule), indent=1) if as_json else "\n".join(_holding(capture, rule))
        )
        return
    answer = explained(capture, rule, num)
    click.echo(
        json.dumps(answer, indent=1) if as_json else "\n".join(_verdict(rule, num, answer["condition"]))
    )


def _named(name: str, loaded: rules.Loaded) -> Compiled:
    names = {rule.name: rule for rule in loaded.rules}
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name, names, 1, 0.5)
    raise UsageError(
        f"no rule is called '{name}'", f"did you mean '{near[0]}'?" if near else "see `eyas rules list`"
    )


def events_of(rule: Compiled, known: catalog.Catalog) -> list[str] | None:
    """Names of the events that a rule can hold on; None for all."""
    if rule.events is None:
        return None
    rows = (known.events[number] for number in rule.events)
    return sorted({row.name for row in rows if row.status == "current"})


def _json(rule: Compiled, known: catalog.Catalog) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "description": rule.desc.strip(),
        "priority": rule.priority_name,
        "enabled": rule.enabled,
        "tags": rule.tags,
        "file": rule.place.file,
        "line": rule.place.line,
        "condition": lang.canonical(rule.tree),
        "output": rule.output_text,
        "ir": rule.condition,
        "events": events_of(rule, known),
        "fields": sorted(rule.fields),
    }


def _told(rule: Compiled, known: catalog.Catalog) -> Iterator[str]:
    yield click.style(rule.name, bold=True) + f"  {rule.priority_name}{'' if rule.enabled else ', disabled'}"
    yield click.style(f"{rule.place.file}:{rule.place.line}", dim=True)
    yield ""
    yield textwrap.fill(" ".join(rule.desc.split()), 100, initial_indent="  ", subsequent_indent="  ")
    yield ""
    needed = events_of(rule, known)
    if rule.source != catalog.KERNEL:
        needed = [f"records of {rule.source}"]
    rows = {
        "tags": ", ".join(rule.tags),
        "events": "every event" if needed is None else ", ".join(needed) or "none: it can never hold",
        "fields": ", ".join(sorted(rule.fields)),
        "except": ", ".join(rule.exceptions) or "nothing",
        "tests": count(len(rule.tests), "test") if rule.tests else "none",
    }
    for name, text in rows.items():
        yield textwrap.fill(text, 100, initial_indent=f"{name:8}", subsequent_indent=" " * 8)
    yield ""
    yield from _condition(rule.condition)


def _condition(ir: dict[str, Any]) -> Iterator[str]:
    for line in lang.show(ir).split("\n"):
        depth = len(line) - len(line.lstrip())
        yield textwrap.fill(line, 116, subsequent_indent=" " * (depth + 4), break_on_hyphens=False)


def _held(capture: Path, rule: Compiled) -> list[dict[str, Any]]:
    """Events of a capture on which a rule holds."""
    with _records(capture, rule) as (file, program):
        play = pipeline.replay if rule.source == catalog.KERNEL else pipeline.replay_logs
        raised = list(play(file, [rule], program, pipeline.Tally()))
    return [{**one.eyas["event"], "message": one.message} for one in raised]


def _holding(capture: Path, rule: Compiled) -> Iterator[str]:
    held = _held(capture, rule)
    yield f"{click.style(rule.name, bold=True)}  holds on {count(len(held), 'event')} of {capture}"
    for event in held:
        yield f"{event['num']:10} {event['type']:12} {alert.escaped(event['message'])}"


@contextmanager
def _records(capture: Path, rule: Compiled) -> Iterator[tuple[Path, Program]]:
    """A capture, or the records of a file in the form that the core reads, with the rule for it."""
    card = members.find(rule.source)
    if card is None:
        yield capture, pipeline.compile_rules([rule], rules.program([rule]), rule.source)
        return
    declared = {rule.source: members.ground(card).declaration}
    program = pipeline.compile_rules([rule], rules.program([rule], "all", declared), rule.source)
    with decoded(capture, card) as file:
        yield file, program


def explained(capture: Path, rule: Compiled, num: int) -> dict[str, Any]:
    """How each part of a rule came out on an event."""
    from eyas import _core

    explain = _core.explain if rule.source == catalog.KERNEL else _core.explain_record
    try:
        with _records(capture, rule) as (file, program):
            answer: dict[str, Any] = json.loads(explain(str(file), program, 0, num))
    except OSError as error:
        raise RunError(f"{capture}: {(error.strerror or str(error)).lower()}") from None
    except IndexError:
        hint = "`evt.num` in an output gives the number"
        raise UsageError(f"{capture}: no rule can see an event {num}", hint) from None
    except _core.CoreError as error:
        raise RunError(str(error)) from None
    return answer


def _verdict(rule: Compiled, num: int, node: dict[str, Any]) -> Iterator[str]:
    word = click.style("holds", fg="green") if node["held"] else click.style("does not hold", fg="red")
    yield f"{click.style(rule.name, bold=True)}  {word} on event {num}"
    yield ""
    yield from tree.lines(node)
    missing = list(tree.reasons(node))
    if missing:
        yield ""
        yield from missing
