"""Counters in the text of StatsD, with and without tags."""

from __future__ import annotations

import re

from eyas.alert import Alert
from eyas.outputs.body import event

_NAME = re.compile(r"[^A-Za-z0-9_\-]+")
_TAG = re.compile(r"[^\w./\- ]+")


def name(text: str) -> str:
    """One piece of a name; dots part the pieces, colons and pipes end it."""
    return _NAME.sub("_", text)


def tag(text: str) -> str:
    """The value of a tag; commas, pipes and line breaks would end it."""
    return _TAG.sub("_", text)


def plain(alert: Alert, namespace: str) -> bytes:
    """Counters whose names hold the priority."""
    return "\n".join(
        (
            f"{namespace}inputs.requests.accepted:1|c",
            f"{namespace}falco.{name(event.priority(alert).lower())}:1|c",
            f"{namespace}falco.accepted.{name(event.priority(alert))}:1|c",
        )
    ).encode()


def tagged(alert: Alert, namespace: str, tags: list[str]) -> bytes:
    """The same with native tags."""
    common = [tag_pair(text) for text in tags]
    own = [
        f"priority:{tag(event.priority(alert))}",
        f"rule:{tag(alert.rule)}",
        f"source:{tag(event.source(alert))}",
    ]
    return "\n".join(
        (
            f"{namespace}inputs.requests.accepted:1|c" + (f"|#{','.join(common)}" if common else ""),
            f"{namespace}falco.accepted:1|c|#{','.join(own + common)}",
        )
    ).encode()


def tag_pair(text: str) -> str:
    """`key:value` with both parts made safe."""
    key, colon, value = text.partition(":")
    return tag(key) + colon + tag(value)
