"""`eyas demo`: an attack on film, played through the built-in rules; needs no root."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from eyas.errors import RunError


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="The alerts alone, as JSON lines.")
@click.option("--keep", type=Path, metavar="FILE", help="Keep the capture.")
def command(as_json: bool, keep: Path | None) -> None:
    """Show which alerts a short attack raises: writes a capture of it and plays it through the built-in rules.

    \b
    eyas demo
    eyas demo --keep demo.scap
    """
    from eyas import alert
    from eyas.scene import demo

    with tempfile.TemporaryDirectory(prefix="eyas-demo-") as folder:
        try:
            story = demo.show(keep or Path(folder) / "demo.scap")
        except OSError as error:
            raise RunError(f"{error.filename or keep}: {(error.strerror or str(error)).lower()}") from None
    if as_json:
        for _, one in story.alerts:
            click.echo(one.json(alert.Style(json_output=True)))
        return
    for line in demo.told(story, sys.stdout.isatty()):
        click.echo(line)
    click.echo(f"\n{len(story.alerts)} alerts of {len({one.rule for _, one in story.alerts})} rules.")
    click.echo(f"The capture: eyas replay {keep}" if keep else "Watch this machine with `eyas run`, as root.")
