"""`eyas events`: what can happen."""

from __future__ import annotations

import json

import click

from eyas import catalog


@click.command("events")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--all", "every", is_flag=True, help="Also versions that only old captures hold.")
def command(as_json: bool, every: bool) -> None:
    """List the event types with their parameters."""
    listed = [
        event
        for event in catalog.load().events
        if event.status == "current" or (every and event.status == "old")
    ]
    if as_json:
        rows = [
            {"id": e.id, "name": e.name, "params": [{"name": n, "type": t} for n, t in e.params]}
            for e in listed
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    for event in listed:
        sign = "<" if event.id % 2 else ">"
        params = ", ".join(f"{kind} {name}" for name, kind in event.params)
        click.echo(f"{event.id:4} {sign} {event.name}({params})")
