"""`eyas source`: write a source of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("source")
def command() -> None:
    """Write a source of one's own, as a Python package."""


@command.command("new")
@click.argument("name")
@click.option("--in", "folder", type=Path, help="Folder to write to.", show_default="eyas-NAME")
def new(name: str, folder: Path | None) -> None:
    """Write the package of a source NAME: its card, rules, a sample and a test that passes.

    \b
    eyas source new my_service
    cd eyas-my-service && pip install . && pytest
    """
    from eyas.sources import writing

    where = folder or Path(f"eyas-{name.replace('_', '-')}")
    for path in writing.write(name, where):
        click.echo(path)
    click.echo(f"next: cd {where} && pip install . && pytest", err=True)
