"""The group `eyas alerts`."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "list": ("look", "the newest alerts"),
    "show": ("look", "everything about one alert"),
    "search": ("look", "alerts that meet a condition"),
    "tail": ("look", "follow alerts as they come"),
    "stats": ("look", "how many, by what, and what was held back"),
    "export": ("take", "alerts as JSON, CSV, Parquet or OCSF"),
    "archive": ("take", "move old alerts into Parquet files"),
    "report": ("take", "alerts by the controls of PCI DSS, NIST 800-53 and CIS, as HTML"),
    "ack": ("act", "say that someone looks into an alert"),
    "close": ("act", "say that an alert is settled"),
    "comment": ("act", "write something down about an alert"),
    "silence": ("act", "keep alerts quiet for a while, with owner and reason"),
    "silences": ("act", "list silences, or end one"),
}


class Commands(click.Group):
    """Loads a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"eyas.cli.alerts.{COMMANDS[name][0]}")
        found: click.Command = getattr(module, f"{name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group("alerts", cls=Commands)
def command() -> None:
    """Alerts of the store: list, search, export, and say what becomes of them.

    Conditions are written in the language of rules, over the alert (rule, priority, source, tags, host, status,
    count, time, output) and over its fields.

    \b
    eyas alerts list --since 2h
    eyas alerts search 'priority >= error and container.id != host'
    eyas alerts silence 'container.name = backup' --for 2h --reason 'nightly backup'
    """
