"""A group of commands that are loaded when they are named, so that `--help` and `--version` load none."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import click


class Lazy(click.Group):
    """`about` says what each command is for; `place` gives where the one of a name is, as `module:attribute`."""

    def __init__(
        self, *args: Any, about: Mapping[str, str], place: Callable[[str], str], **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self._about = about
        self._place = place

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the list."""
        return list(self._about)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in self._about:
            return None
        module, _, attribute = self._place(name).partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._about.items()))
