"""Alerts for tests."""

from __future__ import annotations

from typing import Any

from eyas.alert import SECOND, Alert


def alert(
    number: int = 1,
    rule: str = "Shell in a container",
    priority: str = "Warning",
    at: float = 0.0,
    message: str = "",
    tags: tuple[str, ...] = (),
    source: str = "syscall",
    host: str = "web-1",
    eyas: dict[str, Any] | None = None,
    **fields: Any,
) -> Alert:
    """Make one; underscores in names of fields stand for dots."""
    named = {key.replace("_", "."): value for key, value in fields.items()}
    ts = 1_700_000_000 * SECOND + int(at * SECOND)
    text = message or f"message {number}"
    return Alert(
        rule, priority, source, tags, ts, text, named, host, {"id": f"{number:024x}", **(eyas or {})}
    )
