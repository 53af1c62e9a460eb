"""Alerts about the sensor itself that no event raises."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from eyas import alert
from eyas.alert import Alert

TECHNIQUE = "T1562.001"  # impair defences: disable or change tools


def notice(
    rule: str, message: str, host: str, process: int = 0, fields: Mapping[str, Any] | None = None
) -> Alert:
    """A critical alert of this moment; `process` tells apart what is noticed of several at once."""
    now = time.time_ns()
    return Alert(
        rule=rule,
        priority="Critical",
        source="syscall",
        tags=(TECHNIQUE, "eyas"),
        ts=now,
        message=message,
        fields=fields or {},
        hostname=host,
        eyas={"id": alert.identity(rule, process, now), "attack": [TECHNIQUE]},
    )
