"""`eyas fields`: what a rule can ask."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from eyas.catalog import KERNEL
from eyas.cli.options import known_with
from eyas.errors import UsageError


@click.command("fields")
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("-N", "--names", is_flag=True, help="Names only.")
@click.option(
    "-c", "--config", "config_file", type=Path, help="Configuration whose binary plugins count too."
)
def command(source: str | None, as_json: bool, names: bool, config_file: Path | None) -> None:
    """List the fields of SOURCE (syscall, or a log source), with types and what they tell.

    A field that never has a value here says why.
    """
    known = known_with(config_file)
    asked = known.of_source(source or KERNEL)
    if asked is None:
        raise UsageError(
            f"no source is called '{source}'", "known are " + ", ".join((KERNEL, *known.sources))
        )
    listed = list(asked.fields.values())
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
