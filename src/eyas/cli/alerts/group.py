"""The group `eyas alerts`."""

from __future__ import annotations

import click

from eyas.cli.lazy import Lazy

# File and meaning of each command.
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


def _place(name: str) -> str:
    return f"eyas.cli.alerts.{COMMANDS[name][0]}:{name}_command"


@click.group("alerts", cls=Lazy, about={name: about for name, (_, about) in COMMANDS.items()}, place=_place)
def command() -> None:
    """Alerts of the store: list, search, export, and say what becomes of them.

    Conditions are written in the language of rules, over the alert (rule, priority, source, tags, host, status,
    count, time, output) and over its fields.

    \b
    eyas alerts list --since 2h
    eyas alerts search 'priority >= error and container.id != host'
    eyas alerts silence 'container.name = backup' --for 2h --reason 'nightly backup'
    """
