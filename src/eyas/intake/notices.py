"""Alerts about feeds themselves: one that failed, one that has gone silent."""

from __future__ import annotations

import hashlib
import time

from eyas import alert
from eyas.alert import Alert


def failed(feed: str, reason: str) -> Alert:
    """A feed does not work."""
    return _notice("Eyas: source failed", "Error", f"Source {feed} failed: {reason}", feed)


def silent(feed: str, seconds: float) -> Alert:
    """Nothing came for longer than the configuration allows."""
    text = f"Source {feed} has been silent for {seconds:.0f} s"
    return _notice("Eyas: source silent", "Warning", text, feed)


def _notice(rule: str, priority: str, text: str, feed: str) -> Alert:
    now = time.time_ns()
    identity = hashlib.blake2b(f"{rule}\0{feed}\0{now}".encode(), digest_size=12).hexdigest()
    return Alert(
        rule=rule,
        priority=priority,
        source="internal",
        tags=("eyas",),
        ts=now,
        message=text,
        fields={"eyas.feed": feed},
        hostname=alert.hostname(),
        eyas={"id": identity, "feed": feed},
    )
