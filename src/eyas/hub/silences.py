"""Silences and maintenance windows: a condition, a time, an owner and a reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from eyas.alert import Alert
from eyas.hub import recurring
from eyas.hub.filter import Filter, parse


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that meet the condition between two moments are kept and shown, and nobody is told."""

    number: int
    condition: Filter
    starts: int
    ends: int
    owner: str
    reason: str
    held: int = 0
    every: str = ""  # the hours of the week in which it holds; all of them if empty

    def covers(self, alert: Alert) -> bool:
        """Whether it holds an alert back."""
        if not self.starts <= alert.ts < self.ends:
            return False
        if self.every and not recurring.parse(self.every).holds(alert.ts):
            return False
        return self.condition.holds(alert)


def add(
    db: sqlite3.Connection, condition: str, starts: int, ends: int, owner: str, reason: str, every: str = ""
) -> int:
    """Write one down; its condition has been read before."""
    row = db.execute(
        "INSERT INTO silence(condition, starts, ends, owner, reason, every) VALUES (?,?,?,?,?,?) RETURNING number",
        (parse(condition).text, starts, ends, owner, reason, every),
    ).fetchone()
    return int(row[0])


def end(db: sqlite3.Connection, number: int, now: int) -> bool:
    """End one early."""
    return db.execute("UPDATE silence SET ends = min(ends, ?) WHERE number = ?", (now, number)).rowcount > 0


def every(db: sqlite3.Connection) -> list[Silence]:
    """All of them, the newest first."""
    rows = db.execute(
        "SELECT number, condition, starts, ends, owner, reason, held, every FROM silence ORDER BY number DESC"
    )
    return [Silence(n, parse(text), *rest) for n, text, *rest in rows]


def held(db: sqlite3.Connection, number: int, more: int) -> None:
    """Count what one held back."""
    db.execute("UPDATE silence SET held = held + ? WHERE number = ?", (more, number))


def covering(silences: Sequence[Silence], alert: Alert) -> Silence | None:
    """The silence that holds an alert back."""
    return next((silence for silence in silences if silence.covers(alert)), None)
