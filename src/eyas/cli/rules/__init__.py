"""`eyas rules`: everything about rule files; one file a command."""

from eyas.cli.rules.group import command

__all__ = ["command"]
