"""`eyas record`: write a capture of this machine."""

from __future__ import annotations

from pathlib import Path

import click

from eyas import catalog, watch
from eyas.cli.options import duration
from eyas.cli.replay import filter_program


@click.command("record")
@click.argument("file", type=Path)
@click.option("--for", "how_long", metavar="DURATION", help="End by itself after 10s, 2m, 1h.")
@click.option("--filter", "condition", help="Keep only events for which this condition holds.")
def command(file: Path, how_long: str | None, condition: str | None) -> None:
    """Write what happens on this machine to FILE, a capture (gzip when it ends in .gz or .scapz). Needs root.

    Ctrl-C ends it. `eyas replay` and other tools that read .scap files play it.

    \b
    eyas record trace.scap --for 10s
    eyas record ssh.scap.gz --filter 'proc.aname = sshd'
    """
    from eyas import _core

    seconds = duration(how_long) if how_long else None
    keep = None if condition is None else _core.Program(filter_program(condition))
    events = [event.id for event in catalog.load().events]
    with watch.Wakes() as wakes:
        recording = watch.Recording(file, keep, events)
        click.echo(f"eyas: watching; recording to {file}", err=True)
        wakes.restart(seconds)
        figures = recording.run(wakes)
    click.echo(
        f"{figures['recorded']} events in {figures['seconds']:.1f} s, {figures['lost']} lost: {file}",
        err=True,
    )
