"""The group of commands about rules; a command is loaded when it is called."""

from __future__ import annotations

import click

from eyas.cli.lazy import Lazy

COMMANDS = {
    "check": "report every fault of rule files",
    "test": "play the events that rules carry",
    "list": "list rules",
    "explain": "show what a rule asks and why it held or not",
    "coverage": "which ATT&CK techniques rules cover",
    "fmt": "write rule files in the one form",
}


@click.group("rules", cls=Lazy, about=COMMANDS, place="eyas.cli.rules.{}:command".format)
def command() -> None:
    """Check, test, list, explain and format rules.

    Without a file or folder each command takes the built-in rules.

    Exit codes: 0 fine, 1 findings (check, test, fmt --check), 2 usage, 3 failure while running.
    """
