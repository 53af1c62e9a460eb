"""`eyas rules explain`: the compiled rule, what it needs, and which parts held on an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from eyas import catalog, lang, pipeline, rules
from eyas.cli.rules.paths import load
from eyas.errors import RunError, UsageError


@click.command("explain")
@click.argument("name")
@click.option("-r", "--rules", "paths", multiple=True, type=Path, help="Rule file or folder; repeatable.")
@click.option("--capture", type=Path, help="Capture with the event to explain.")
@click.option("--event", "num", type=int, help="Number of the event (evt.num).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(name: str, paths: tuple[Path, ...], capture: Path | None, num: int | None, as_json: bool) -> None:
    """Show the compiled rule NAME, what it needs, and which parts held on an event."""
    known = catalog.load()
    loaded = load(paths)
    rule = next((rule for rule in loaded.rules if rule.name == name), None)
    if rule is None:
        raise UsageError(f"no rule is called '{name}'", "see `eyas rules list`")
    events = "every event" if rule.events is None else ", ".join(_names(known, rule.events))
    if capture is None:
        body = {
            "rule": rule.name,
            "condition": lang.canonical(rule.tree),
            "ir": rule.condition,
            "events": events,
        }
        click.echo(json.dumps(body, indent=1) if as_json else _plain(rule, events))
        return
    if num is None:
        raise UsageError("--capture needs --event NUMBER")
    tree = _explained(capture, rule, num)
    click.echo(json.dumps(tree, indent=1) if as_json else "\n".join(_lines(tree["condition"], 0)))


def _names(known: catalog.Catalog, events: frozenset[int]) -> list[str]:
    return sorted(
        {known.events[number].name for number in events if known.events[number].status == "current"}
    )


def _plain(rule: rules.Compiled, events: str) -> str:
    return f"rule: {rule.name}\npriority: {rule.priority_name}\nneeds: {events}\ncondition:\n{lang.show(rule.condition)}"


def _explained(capture: Path, rule: rules.Compiled, num: int) -> dict[str, Any]:
    from eyas import _core

    program = pipeline.compile_rules([rule], rules.program([rule]))
    try:
        tree: dict[str, Any] = json.loads(_core.explain(str(capture), program, 0, num))
    except (OSError, _core.CoreError, IndexError) as error:
        raise RunError(str(error)) from None
    return tree


def _lines(node: dict[str, Any], depth: int) -> list[str]:
    mark = "held    " if node["held"] else "did not "
    pad = "  " * depth
    for word in ("and", "or"):
        if word in node:
            inner = [line for child in node[word] for line in _lines(child, depth + 1)]
            return [f"{mark}{pad}{word}", *inner]
    if "not" in node:
        return [f"{mark}{pad}not", *_lines(node["not"], depth + 1)]
    if "test" in node:
        value = "no value" if node["absent"] else json.dumps(node["value"], ensure_ascii=True)
        return [f"{mark}{pad}{lang.show(json.loads(node['test']))}   ← {value}"]
    return [f"{mark}{pad}{node.get('const')}"]
