"""Options that the commands over the store share, and how they open it."""

from __future__ import annotations

import os
import pwd
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from eyas import config
from eyas.cli.options import DEFAULT_CONFIG
from eyas.delivery import journal
from eyas.errors import UsageError
from eyas.hub import archive, moments, reading
from eyas.hub import settings as sections
from eyas.hub.filter import parse
from eyas.hub.reading import Kept, Query

F = TypeVar("F", bound=Callable[..., Any])


def store_options(command: F) -> F:
    """`--store` and `-c`."""
    for option in (
        click.option(
            "--store", type=Path, help="Folder of the store; EYAS_STORE or the configuration say it else."
        ),
        click.option(
            "-c", "--config", "config_file", type=Path, help="Configuration: eyas.yaml or falco.yaml."
        ),
    ):
        command = option(command)
    return command


def time_options(command: F) -> F:
    """`--since` and `--until`."""
    for option in (
        click.option("--until", metavar="TIME", help="Before this moment."),
        click.option(
            "--since", metavar="TIME", help="From this moment on: 2h, 14:30, yesterday, 2026-11-25."
        ),
    ):
        command = option(command)
    return command


def folder_of(store: Path | None, config_file: Path | None) -> Path:
    """The folder of the store."""
    if store is not None:
        return store
    file = config_file or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    if file is None:
        return sections.default_folder()
    settings = config.load(file).settings
    return sections.load(settings.alerts, settings.place).folder()


@contextmanager
def reading_from(folder: Path) -> Iterator[sqlite3.Connection]:
    """The store, to read."""
    if not (folder / journal.FILE).exists():
        raise UsageError(
            f"{folder}: there is no store", "`eyas run` makes one, and `eyas replay --store FOLDER`"
        )
    db = journal.connect(folder, readonly=True)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def writing_to(folder: Path) -> Iterator[sqlite3.Connection]:
    """The store, to write."""
    db = journal.connect(folder)
    try:
        yield db
    finally:
        db.close()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts a command was asked for."""

    condition: str = ""
    since: str | None = None
    until: str | None = None
    limit: int | None = None
    statuses: tuple[str, ...] = ()
    archived: bool = False
    oldest_first: bool = False


def found(folder: Path, wanted: Wanted) -> Iterator[Kept]:
    """The alerts that a command was asked for, from the store and from the archive."""
    condition = parse(wanted.condition) if wanted.condition else None
    since = moments.moment(wanted.since) if wanted.since else None
    until = moments.moment(wanted.until) if wanted.until else None
    query = Query(condition, since, until, wanted.limit, wanted.oldest_first, statuses=wanted.statuses)
    number = 0
    with reading_from(folder) as db:
        for kept in reading.select(db, query):
            number += 1
            yield kept
    if not wanted.archived:
        return
    for kept in archive.search(folder, condition, since, until):
        if wanted.limit is not None and number >= wanted.limit:
            return
        number += 1
        yield kept


def me() -> str:
    """Who is at the keyboard."""
    if name := os.environ.get("SUDO_USER") or os.environ.get("USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
