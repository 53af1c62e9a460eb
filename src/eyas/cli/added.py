"""What installed packages add, and what is wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import click

from eyas.hub import enricher
from eyas.sources import members, packages


@functools.cache
def enrichers() -> tuple[tuple[enricher.Worker, ...], tuple[str, ...]]:
    """Enrichers of alerts, and the faults of those that are left out."""
    faults: list[str] = []
    found = [(one.place, one.value) for one in packages.entries(enricher.GROUP, faults)]
    workers, more = enricher.workers(found)
    return tuple(workers), (*faults, *more)


def faults() -> Iterator[str]:
    """What is wrong with installed packages, each with the package."""
    yield from members.faults()
    yield from enrichers()[1]


def warn() -> None:
    """Say on stderr what is wrong with installed packages."""
    for fault in faults():
        click.echo(f"warning: {fault}", err=True)
