"""News of a group that grew: receivers hear of it at ten, a hundred, a thousand, and when its window is over.

Without it whoever reads only the receiver would take a thousand events for one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from eyas.alert import SECOND, Alert, iso8601
from eyas.delivery import journal, stored
from eyas.hub.grouping import Bundle

STEP = 10
UPDATE = "update"  # marks the alert that tells the news

Outputs = Callable[[Alert], tuple[str, ...]]


@dataclass(slots=True)
class Growth:
    """Groups with repeats that nobody has heard of yet, by the id of their alert."""

    _grown: dict[str, tuple[Bundle, float]] = field(default_factory=dict)
    _newest: int = 0

    def saw(self, bundle: Bundle) -> None:
        """A group has grown."""
        self._grown.setdefault(bundle.lead, (bundle, time.monotonic()))
        self._newest = max(self._newest, bundle.last)

    def due(self) -> list[Bundle]:
        """Groups of which it is time to tell."""
        now, found = time.monotonic(), []
        for lead, (bundle, since) in list(self._grown.items()):
            window = (bundle.until - bundle.first) / SECOND
            over = bundle.until <= self._newest or now - since >= window
            if over:
                del self._grown[lead]
            if bundle.count > bundle.told and (over or bundle.count >= _step(bundle.told)):
                bundle.told = bundle.count
                found.append(bundle)
        return found

    def rest(self) -> list[Bundle]:
        """All that have grown, before everything ends."""
        grown, self._grown = self._grown, {}
        return [bundle for bundle, _ in grown.values() if bundle.count > bundle.told]


def _step(told: int) -> int:
    """The next power of ten."""
    step = STEP
    while step <= told:
        step *= STEP
    return step


def news(bundle: Bundle) -> dict[str, Any]:
    """What is told: count, first and last seen, examples."""
    return {**bundle.facts(), "examples": list(bundle.examples)}


def tell(db: sqlite3.Connection, lead: str, group: dict[str, Any], outputs: Outputs) -> None:
    """Put the news about an alert into the queues of its receivers; one that was closed stays closed."""
    row = db.execute(
        "SELECT body, identity FROM alert WHERE id = ? AND status != 'closed'", (lead,)
    ).fetchone()
    if row is None:
        return
    alert = updated(stored.decode(row[0]), lead, group)
    if names := outputs(alert):
        journal.append(db, [stored.entry_of(alert, row[1], names, lead)])


def updated(alert: Alert, lead: str, group: dict[str, Any]) -> Alert:
    """The alert as it stands now; it has an id of its own, lest it be dropped as a repeat of the first."""
    count, last = int(group["count"]), int(group["last"])
    return replace(
        alert,
        message=f"{alert.message} ({count} times until {iso8601(last, 'Z')[:19]}Z)",
        eyas={**alert.eyas, "id": f"{lead}:{count}", "group": group, UPDATE: True},
    )
