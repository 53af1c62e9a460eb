"""What rules were not let say: thousands of alerts of one process, or of one rule, leave room for those of others."""

from __future__ import annotations

import time
from collections.abc import Sequence

from eyas import alert
from eyas.alert import Alert
from eyas.hub import activity
from eyas.rules import Compiled

RULE = "Alerts held back by the sensor"


def notes(rules: Sequence[Compiled]) -> list[int]:
    """Numbers of the rules that only take notes for trails; of these the least is let through."""
    return [number for number, rule in enumerate(rules) if activity.TAG in rule.tags]


def raised(rule: Compiled, count: int, host: str) -> Alert | None:
    """The alert that stands for those which a rule did not raise; none for notes."""
    if activity.TAG in rule.tags:
        return None
    now = time.time_ns()
    return Alert(
        rule=RULE,
        priority="Critical",
        source=rule.source,
        tags=("eyas",),
        ts=now,
        message=f"{count} alerts of rule {rule.name} were held back: too many by one process, or in all",
        fields={"eyas.held": count, "eyas.held.rule": rule.name},
        hostname=host,
        eyas={"id": alert.identity(f"{RULE}: {rule.name}", 0, now), "attack": []},
    )
