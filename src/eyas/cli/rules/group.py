"""The group of commands about rules; a command is loaded when it is called."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "check": "report every fault of rule files",
    "test": "play the events that rules carry",
    "list": "list rules",
    "explain": "show what a rule asks and why it held or not",
    "coverage": "which ATT&CK techniques rules cover",
    "fmt": "write rule files in the one form",
}


class Commands(click.Group):
    """Commands in files of their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"eyas.cli.rules.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("rules", cls=Commands)
def command() -> None:
    """Check, test, list, explain and format rules.

    Without a file or folder each command takes the built-in rules.

    Exit codes: 0 fine, 1 findings (check, test, fmt --check), 2 usage, 3 failure while running.
    """
