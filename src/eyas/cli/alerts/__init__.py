"""`eyas alerts`: what was raised, and what people do about it; one file a group of commands."""

from eyas.cli.alerts.group import command

__all__ = ["command"]
