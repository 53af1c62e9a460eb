"""Subjects of messages, from a pattern such as `falco.<priority>.<rule>`."""

from __future__ import annotations

import re

from eyas.alert import Alert
from eyas.outputs.body import event

PATTERN = "falco.<priority>.<rule>"
_SLUG = re.compile(r"[^a-z0-9]+")
_TOKEN = re.compile(r"<(\w+)>")


def subject(pattern: str, alert: Alert) -> str:
    """Fill a pattern; what an alert says cannot add a level or a wildcard."""
    values = {
        "priority": event.priority(alert),
        "rule": alert.rule,
        "source": event.source(alert),
        "hostname": alert.hostname,
    }
    return _TOKEN.sub(lambda token: slug(values[token[1]]) if token[1] in values else token[0], pattern)


def slug(text: str) -> str:
    """Small letters and digits, joined by underscores; never empty."""
    return _SLUG.sub("_", text.lower()).strip("_") or "none"
