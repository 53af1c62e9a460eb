"""`eyas bench flood`: what a flood of events takes from the sensor."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from eyas.watch import flood


@click.command("flood")
@click.option(
    "-r",
    "--rules",
    "paths",
    multiple=True,
    type=Path,
    help="Rule file or folder beside the own rules; repeatable.",
)
@click.option(
    "--rate",
    default=1_000_000,
    show_default=True,
    help="Events offered each second; 0 for as many as can be made.",
)
@click.option("--seconds", default=30.0, show_default=True, help="How long.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(paths: tuple[Path, ...], rate: int, seconds: float, as_json: bool) -> None:
    """Offer events that a rule needs, and start programs that must be seen all the same. Needs root.

    Told: programs started and seen, events lost, events that no account holds (0), milliseconds from system call to alert on stdout, and the sensor's memory early and late.
    """
    found = flood.measure(rate, seconds, paths)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    for name, value in asdict(found).items():
        click.echo(f"{name:18} {value:>16,.2f}" if isinstance(value, float) else f"{name:18} {value:>16,}")
