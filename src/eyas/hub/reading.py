"""Alerts out of the store: by time and by condition, newest first, with what people and repeats added."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eyas.alert import Alert
from eyas.delivery import stored
from eyas.errors import RunError, UsageError
from eyas.hub.filter import Filter
from eyas.lang import And, Check, FieldRef, Node, Text
from eyas.lang.tree import operand_text

COLUMNS = {
    "alert.rule": "rule",
    "alert.source": "source",
    "alert.host": "host",
    "alert.hostname": "host",
    "alert.status": "status",
    "alert.id": "id",
    "container.id": "container",
}
STATUSES = ("open", "acknowledged", "closed", "silenced")
_SELECT = (
    "SELECT a.seq, a.status, a.lead, a.identity, a.body, b.count, b.first, b.last, b.examples"
    " FROM alert a LEFT JOIN bundle b ON b.lead = a.id"
)


@dataclass(frozen=True, slots=True)
class Remark:
    """What someone did or said about an alert."""

    at: int
    who: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert of the store. `alert.eyas` holds its status and group."""

    seq: int
    alert: Alert
    status: str
    lead: str
    identity: str
    count: int = 1
    first: int = 0
    last: int = 0
    examples: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.alert.eyas.get("id", ""))


@dataclass(frozen=True, slots=True)
class Query:
    """Which alerts; repeats that were kept for receivers only with `repeats`."""

    condition: Filter | None = None
    since: int | None = None
    until: int | None = None
    limit: int | None = None
    oldest_first: bool = False
    repeats: bool = False
    after: int = 0  # only alerts with a greater sequence number
    statuses: Sequence[str] = field(default_factory=tuple)


def select(db: sqlite3.Connection, query: Query) -> Iterator[Kept]:
    """Alerts that a query wants."""
    where, values = _where(query)
    order = "ASC" if query.oldest_first else "DESC"
    key = "a.seq" if query.after else "a.ts"
    rows = db.execute(f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY {key} {order}, a.seq {order}", values)
    left = query.limit
    for row in rows:
        kept = _kept(row)
        if query.condition is not None and not query.condition.holds(kept.alert):
            continue
        if left is not None:
            if left <= 0:
                return
            left -= 1
        yield kept


def _where(query: Query) -> tuple[list[str], list[Any]]:
    where = ["a.seq > ?"]
    values: list[Any] = [query.after]
    for clause, value in (("a.ts >= ?", query.since), ("a.ts < ?", query.until)):
        if value is not None:
            where.append(clause)
            values.append(value)
    if not query.repeats:
        where.append("a.lead = ''")
    if query.statuses:
        where.append(f"a.status IN ({','.join('?' * len(query.statuses))})")
        values += query.statuses
    for column, text in equalities(query.condition):
        where.append(f"a.{column} = ?")
        values.append(text)
    return where, values


def equalities(condition: Filter | None) -> list[tuple[str, str]]:
    """Comparisons that every hit has to meet and that a column answers; the rest of the condition is judged after."""
    if condition is None:
        return []
    tree = condition.tree
    parts: tuple[Node, ...] = tree.children if isinstance(tree, And) else (tree,)
    found = []
    for part in parts:
        if isinstance(part, Check) and part.op in ("=", "==") and isinstance(part.left, FieldRef):
            column = COLUMNS.get(operand_text(part.left))
            if column and isinstance(part.right, Text) and "/" not in part.right.value:
                found.append((column, part.right.value))
    return found


def _kept(row: tuple[Any, ...]) -> Kept:
    seq, status, lead, identity, body, count, first, last, examples = row
    alert = stored.decode(body)
    group = dict(alert.eyas.get("group") or {})
    if count is not None:
        group |= {"count": count, "first": first, "last": last}
    eyas = {**alert.eyas, "status": status, **({"group": group} if group else {})}
    return Kept(
        seq=seq,
        alert=replace(alert, eyas=eyas),
        status=status,
        lead=lead,
        identity=identity,
        count=int(group.get("count", 1)),
        first=int(group.get("first", alert.ts)),
        last=int(group.get("last", alert.ts)),
        examples=tuple(json.loads(examples)) if examples else (),
    )


def one(db: sqlite3.Connection, name: str) -> Kept:
    """The alert of an id, or of the beginning of one; `last` is the newest."""
    if name == "last":
        rows = db.execute(f"{_SELECT} WHERE a.lead = '' ORDER BY a.seq DESC LIMIT 1").fetchall()
    else:
        low, high = name, name + "\U0010ffff"
        rows = db.execute(f"{_SELECT} WHERE a.id >= ? AND a.id < ? LIMIT 2", (low, high)).fetchall()
    if not rows:
        raise UsageError(f"no alert '{name}' in the store", "see `eyas alerts list`")
    if len(rows) > 1 and stored.decode(rows[0][4]).eyas.get("id") != name:
        raise UsageError(f"more than one alert begins with '{name}'", "write more of the id")
    return _kept(rows[0])


def remarks(db: sqlite3.Connection, id: str) -> list[Remark]:
    """What was done and said about an alert, in order."""
    rows = db.execute("SELECT at, who, kind, text FROM remark WHERE id = ? ORDER BY number", (id,))
    return [Remark(*row) for row in rows]


def remark(db: sqlite3.Connection, id: str, made: Remark, status: str | None = None) -> None:
    """Write down what someone did or said, and the status that follows."""
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "INSERT INTO remark(id, at, who, kind, text) VALUES (?,?,?,?,?)",
            (id, made.at, made.who, made.kind, made.text),
        )
        if status is not None:
            db.execute("UPDATE alert SET status = ? WHERE id = ?", (status, id))
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise RunError(f"the store: {error}") from None


@dataclass(slots=True)
class Counts:
    """How many alerts, by what."""

    alerts: int = 0
    occurrences: int = 0
    first: int | None = None
    last: int | None = None
    by: dict[str, Counter[str]] = field(default_factory=dict)


BY = ("priority", "rule", "source", "host", "status", "container", "technique")


def counts(alerts: Iterator[Kept]) -> Counts:
    """Count alerts."""
    found = Counts(by={name: Counter() for name in BY})
    for kept in alerts:
        alert = kept.alert
        found.alerts += 1
        found.occurrences += kept.count
        found.first = min(alert.ts, found.first if found.first is not None else alert.ts)
        found.last = max(alert.ts, found.last or 0)
        named = {
            "priority": alert.priority,
            "rule": alert.rule,
            "source": alert.source,
            "host": alert.hostname,
            "status": kept.status,
            "container": stored.container(alert),
        }
        for name, value in named.items():
            if value:
                found.by[name][value] += 1
        found.by["technique"].update(alert.eyas.get("attack") or ())
    return found
