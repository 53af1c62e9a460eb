"""`eyas rules list`: the rules of files, a line each."""

from __future__ import annotations

import json
from pathlib import Path

import click

from eyas.alert import techniques
from eyas.cli.options import report
from eyas.cli.rules.paths import load, rule_paths
from eyas.rules import Compiled

COLOURS = {
    "Emergency": "red",
    "Alert": "red",
    "Critical": "red",
    "Error": "red",
    "Warning": "yellow",
    "Notice": "cyan",
}


@click.command("list")
@rule_paths
@click.option("--tag", "tags", multiple=True, help="Rules with this tag; repeatable, all must be there.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(paths: tuple[Path, ...], more: tuple[Path, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """List rules with their priority and the ATT&CK techniques they cover.

    \b
    eyas rules list
    eyas rules list --tag container --tag T1611
    """
    loaded = load(paths, more)
    report(loaded)
    chosen = [rule for rule in loaded.rules if set(tags) <= set(rule.tags)]
    if as_json:
        click.echo(json.dumps([_row(rule) for rule in chosen], indent=1))
        return
    width = max((len(rule.name) for rule in chosen), default=0)
    for rule in chosen:
        priority = click.style(f"{rule.priority_name:13}", fg=COLOURS.get(rule.priority_name))
        off = "" if rule.enabled else "  (disabled)"
        click.echo(f"{priority} {rule.name:{width}}  {' '.join(techniques(rule.tags))}{off}".rstrip())


def _row(rule: Compiled) -> dict[str, object]:
    return {
        "name": rule.name,
        "priority": rule.priority_name,
        "enabled": rule.enabled,
        "source": rule.source,
        "tags": rule.tags,
        "attack": techniques(rule.tags),
        "description": rule.desc.strip(),
        "file": rule.place.file,
        "line": rule.place.line,
        "tests": len(rule.tests),
    }
