"""Which rule files a command is about, and how faults are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from eyas import rules
from eyas.catalog import Catalog
from eyas.rules import Problem
from eyas.sources import members

F = TypeVar("F", bound=Callable[..., Any])

_COLOUR = {"error": "red", "warning": "yellow"}


def rule_paths(command: F) -> F:
    """Take rule files as arguments or with `-r`."""
    command = click.argument("paths", nargs=-1, type=Path)(command)
    return click.option(
        "-r", "--rules", "more", multiple=True, type=Path, help="Rule file or folder; repeatable."
    )(command)


def load(paths: Sequence[Path], more: Sequence[Path] = (), known: Catalog | None = None) -> rules.Loaded:
    """Load files, or the rules we ship; disabled rules are kept."""
    chosen = [*paths, *more] or [rules.BUILTIN, rules.SERVICES]
    return rules.load(chosen, known or members.known(), rules.Settings(enable_all=True))


def show(problems: Iterable[Problem], err: bool = False) -> None:
    """Print faults, coloured on a terminal."""
    for problem in problems:
        head, *rest = problem.text().split("\n")
        word = f" {problem.severity}: "
        before, found, after = head.partition(word)
        styled = click.style(found, fg=_COLOUR[problem.severity], bold=True)
        click.echo("\n".join([f"{before}{styled}{click.style(after, bold=True)}", *rest]), err=err)


def count(number: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
