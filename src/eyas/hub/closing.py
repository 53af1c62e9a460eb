"""An alert that is closed here is taken back where a receiver keeps it open, through the same queue, in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from eyas.delivery import journal, stored
from eyas.hub.reading import Kept

CLOSED = "closed"
_MARK = "takes back:"


def announce(db: sqlite3.Connection, names: Sequence[str]) -> None:
    """Write down which receivers take alerts back; whoever closes an alert may be another process."""
    db.execute("DELETE FROM counter WHERE name LIKE ?", (f"{_MARK}%",))
    for name in names:
        journal.count(db, f"{_MARK}{name}", 1)


def takers(db: sqlite3.Connection) -> tuple[str, ...]:
    """Receivers that take alerts back."""
    return tuple(name.removeprefix(_MARK) for name in journal.counters(db) if name.startswith(_MARK))


def take_back(db: sqlite3.Connection, kept: Kept) -> None:
    """Put the end of an alert into the queues of those receivers."""
    outputs = takers(db)
    if not outputs:
        return
    closed = replace(kept.alert, eyas={**kept.alert.eyas, "status": CLOSED})
    entry = replace(stored.entry_of(closed, kept.identity, outputs, lead=kept.id), id=f"{kept.id}:{CLOSED}")
    db.execute("BEGIN IMMEDIATE")
    journal.append(db, [entry])
    db.execute("COMMIT")
