"""`eyas fields`: what a rule can ask."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from eyas import catalog


@click.command("fields")
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("-N", "--names", is_flag=True, help="Names only.")
def command(source: str | None, as_json: bool, names: bool) -> None:
    """List the fields of SOURCE (syscall), with types and what they tell.

    A field that never has a value here says why.
    """
    listed = [
        field
        for field in catalog.load().fields.values()
        if source in (None, field.source) or field.source == "any"
    ]
    if as_json:
        rows = [{**asdict(field), "flags": sorted(field.flags)} for field in listed]
        click.echo(json.dumps(rows, indent=1))
        return
    for field in listed:
        if names:
            click.echo(field.name)
            continue
        kind = f"list of {field.type}" if field.list else field.type
        note = f" (no value: {field.why})" if not field.available else ""
        note += " (deprecated)" if field.deprecated else ""
        click.echo(f"{field.name:44} {kind:14} {field.about}{note}")
