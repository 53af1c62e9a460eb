"""A loss as an alert: what was lost, for how long, and which rules it may have blinded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from eyas import _core, alert
from eyas.alert import Alert
from eyas.catalog import Catalog
from eyas.errors import RunError
from eyas.rules import Compiled

log = structlog.get_logger("eyas.watch")

# What a loss does unless the configuration says otherwise.
ACTIONS = ("log", "alert")
RULE = "Events lost by the sensor"


def raised(loss: _core.Loss, rules: Sequence[Compiled], catalog: Catalog, host: str) -> Alert:
    """The alert of a loss."""
    blinded = blind(loss, rules, catalog)
    count = sum(loss.lost.values())
    milliseconds = (loss.until - loss.since) // 1_000_000
    what = ", ".join(f"{number} {name}" for name, number in sorted(loss.lost.items()))
    message = (
        f"{count} events were lost within {milliseconds} ms ({what}); "
        f"{len(blinded)} rules may have missed something"
    )
    return Alert(
        rule=RULE,
        priority="Critical",
        source="syscall",
        tags=("eyas",),
        ts=loss.until,
        message=message,
        fields={
            "eyas.lost": count,
            "eyas.lost.classes": dict(loss.lost),
            "eyas.lost.calls": sorted(loss.calls),
            "eyas.lost.rules": blinded,
            "eyas.lost.since": loss.since,
            "eyas.lost.milliseconds": milliseconds,
        },
        hostname=host,
        eyas={"id": alert.identity(RULE, 0, loss.until), "attack": [], "loss": True},
    )


def acted(raised: Alert, actions: Sequence[str]) -> Iterator[Alert]:
    """The alert of a loss, if there is to be one; raises `RunError` where a loss is to end the watch."""
    if "log" in actions:
        log.warning(raised.message)
    if "alert" in actions:
        yield raised
    if "exit" in actions:
        raise RunError(raised.message, "syscall_event_drops.actions says that a loss ends the watch")


def blind(loss: _core.Loss, rules: Sequence[Compiled], catalog: Catalog) -> list[str]:
    """Rules that can hold on what was lost."""
    lost = {number for name in loss.calls for number in catalog.ids.get(name, ())}
    return [rule.name for rule in rules if rule.events is None or rule.events & lost]
