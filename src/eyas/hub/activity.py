"""What happened around alerts: processes, files, connections and calls, noted so that a trail can be drawn.

The notes come from rules of their own (`activity.yaml`), judged in the same pass as all others; so they cost
what such rules cost, live and in a replay alike.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from eyas.alert import SECOND, Alert
from eyas.delivery.writer import Change

RULES = Path(__file__).with_name("activity.yaml")
TAG = "eyas.activity"
GROUP = 500
# Notes in memory; of more that come while the disk is behind none are taken, and they are counted.
WAITING = 4_000
LIVE = 60 * SECOND  # what is older when it comes is of a replay, which waits for the disk instead
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Activity:
    """One note. `actor` is whom it belongs to: a process by its number, a principal by its name."""

    ts: int
    host: str
    source: str
    kind: str
    actor: str
    facts: Mapping[str, Any]


class _Writer(Protocol):
    def change(self, change: Change) -> None:
        """Commit a change."""

    def say(self, word: Callable[[], None]) -> None:
        """Say something once all before it is on disk."""

    def flush(self) -> bool:
        """Wait until all is on disk."""


class Notebook:
    """Gathers notes and hands them to the writer in groups."""

    def __init__(self, writer: _Writer, host: str) -> None:
        self._writer = writer
        self._host = host
        self._lock = threading.Lock()
        self._notes: list[tuple[Any, ...]] = []
        self._writing = 0  # notes that the writer has and the disk has not
        self._left_out = 0

    def add(self, note: Activity) -> None:
        """Note something, unless the disk is too far behind."""
        now = time.time_ns()
        if len(self._notes) + self._writing >= WAITING:
            if now - note.ts < LIVE:
                with self._lock:
                    self._left_out += 1
                return
            self._writer.flush()
        row = (
            note.ts,
            now,
            note.host or self._host,
            note.source,
            note.kind,
            note.actor,
            _body(note.facts),
        )
        with self._lock:
            self._notes.append(row)
            full = len(self._notes) >= GROUP
        if full:
            self.save()

    def save(self) -> None:
        """Hand over what gathered."""
        with self._lock:
            rows, self._notes = self._notes, []
            self._writing += len(rows)
        if rows:
            self._writer.change(lambda db: _insert(db, rows))
            self._writer.say(lambda: self._written(len(rows)))

    def left_out(self) -> int:
        """How many were not taken since the last call."""
        with self._lock:
            count, self._left_out = self._left_out, 0
        return count

    def _written(self, count: int) -> None:
        with self._lock:
            self._writing -= count


def _insert(db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    db.executemany(
        "INSERT INTO activity(ts, kept, host, source, kind, actor, body) VALUES (?,?,?,?,?,?,?)", rows
    )
    last = db.execute("SELECT max(number) FROM activity").fetchone()[0] or 0
    db.execute("DELETE FROM activity WHERE number <= ?", (last - MOST,))


def _body(facts: Mapping[str, Any]) -> bytes:
    kept = {key: value for key, value in facts.items() if value not in (None, "", [])}
    try:
        return orjson.dumps(kept)
    except TypeError:
        return orjson.dumps(
            {key: str(value).encode("utf-8", "replace").decode() for key, value in kept.items()}
        )


def of_alert(noted: Alert) -> Activity | None:
    """The note that an alert of an activity rule stands for; None for any other alert."""
    if TAG not in noted.tags:
        return None
    kind = noted.rule.removeprefix("eyas activity: ")
    facts = dict(noted.fields)
    return Activity(noted.ts, noted.hostname, noted.source, kind, actor(noted.source, facts), facts)


def actor(source: str, facts: Mapping[str, Any]) -> str:
    """Whom facts belong to."""
    for name in ACTORS.get(source, ()):
        value = facts.get(name)
        if value not in (None, ""):
            return str(value).encode("utf-8", "replace").decode()
    return ""


ACTORS: dict[str, tuple[str, ...]] = {
    "syscall": ("proc.pid",),
    "aws_cloudtrail": ("ct.user.principalid", "ct.user.arn", "ct.user"),
    "okta": ("okta.actor.alternateid", "okta.actor.id"),
    "github": ("github.user",),
    "gcp_auditlog": ("gcp.user",),
    "k8s_audit": ("ka.user.name",),
}
