"""The store on disk: alerts in the order of their arrival, and a queue for every receiver.

One connection writes, any number read. An alert is committed, with its places in the queues, before
anyone hears of it; it leaves a queue by `acknowledge` or `refuse` and nothing else but the policy of `discard`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyas.delivery import schema
from eyas.errors import RunError

FILE = "alerts.db"


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert ready for the disk. `outputs` are the receivers that have to get it."""

    id: str
    ts: int
    severity: int
    rule: str
    source: str
    host: str
    container: str
    identity: str
    body: bytes
    outputs: tuple[str, ...] = ()
    lead: str = ""  # id of the alert that this one repeats
    status: str = "open"


@dataclass(frozen=True, slots=True)
class Queued:
    """One alert in a receiver's queue."""

    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits for a receiver, and since when the oldest of it (nanoseconds of the epoch)."""

    count: int
    oldest: int | None


def connect(folder: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open the store of a folder; one that cannot be read is set aside and a new one begun."""
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _open(path, readonly)
    except OSError as error:
        raise RunError(f"{folder}: {(error.strerror or str(error)).lower()}") from None
    except sqlite3.DatabaseError as error:
        if readonly or isinstance(error, sqlite3.OperationalError):
            raise RunError(f"{path}: {error}") from None
        return renewed(folder)


def fold_at(db: sqlite3.Connection, size: int) -> None:
    """Fold the log into the store when it has so many bytes."""
    pages = size // db.execute("PRAGMA page_size").fetchone()[0]
    db.execute(f"PRAGMA wal_autocheckpoint = {pages}")


def _open(path: Path, readonly: bool) -> sqlite3.Connection:
    if readonly:
        if _is_older(path):
            _open(path, readonly=False).close()
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30, check_same_thread=False
        )
        db.execute("SELECT 1 FROM alert LIMIT 1")
        return db
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    path.chmod(0o600)
    try:
        db.executescript(schema.SETTINGS)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.VERSION:
            raise RunError(f"{path}: written by a newer version, format {version}, expected {schema.VERSION}")
        _renew_tables(db)
        db.executescript(schema.TABLES)
        db.execute(f"PRAGMA user_version = {schema.VERSION}")
    except BaseException:
        db.close()
        raise
    return db


def _is_older(path: Path) -> bool:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        return bool(0 < db.execute("PRAGMA user_version").fetchone()[0] < schema.VERSION)
    finally:
        db.close()


def _renew_tables(db: sqlite3.Connection) -> None:
    """Give an older store what it lacks; one process does it, the others find it done."""
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for step in range(version + 1, schema.VERSION + 1) if version else ():
        db.execute(schema.STEPS[step])
    if version:
        db.execute(f"PRAGMA user_version = {schema.VERSION}")
    db.execute("COMMIT")


def renewed(folder: Path) -> sqlite3.Connection:
    """Begin a new store, with every alert that can still be read from the broken one."""
    path = folder / FILE
    aside = path.with_name(f"{path.name}.broken-{time.time_ns()}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    db = _open(path, readonly=False)
    saved = _salvage(aside, db)
    db.execute("INSERT INTO counter VALUES ('stores_broken', 1)")
    db.execute("INSERT INTO counter VALUES ('alerts_salvaged', ?)", (saved,))
    return db


def _salvage(aside: Path, db: sqlite3.Connection) -> int:
    saved = 0
    try:
        old = sqlite3.connect(aside)
        old.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for table, columns in (("alert", 13), ("pending", 2)):
            slots = ",".join("?" * columns)
            for row in old.execute(f"SELECT * FROM {table}"):
                saved += db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({slots})", row).rowcount * (
                    columns > 2
                )
    except sqlite3.Error:
        pass  # the rest of it is beyond reading; the file stays for those who want to try
    return saved


def append(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Add alerts with their places in the queues; an id that is known already is left alone."""
    last = db.execute("SELECT coalesce(max(seq), 0) FROM alert").fetchone()[0]
    # Numbers are never used again, or a late acknowledgement could meet another alert.
    last = max(last, _highest(db))
    numbered = list(enumerate(entries, last + 1))
    now = time.time_ns()
    db.executemany(
        "INSERT OR IGNORE INTO alert(seq, id, ts, severity, rule, source, host, container, identity, lead, status, kept, body)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [_row(n, e, now) for n, e in numbered],
    )
    db.executemany(
        "INSERT INTO pending SELECT ?, seq FROM alert WHERE seq = ?",
        [(output, n) for n, e in numbered for output in e.outputs],
    )


def _row(seq: int, e: Entry, now: int) -> tuple[object, ...]:
    return (
        seq,
        e.id,
        e.ts,
        e.severity,
        e.rule,
        e.source,
        e.host,
        e.container,
        e.identity,
        e.lead,
        e.status,
        now,
        e.body,
    )


def _highest(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM counter WHERE name = 'highest_discarded'").fetchone()
    return int(row[0]) if row else 0


def waiting(db: sqlite3.Connection, output: str, limit: int, after: int = 0) -> list[Queued]:
    """What a receiver gets next, oldest first."""
    rows = db.execute(
        "SELECT p.seq, a.body FROM pending p JOIN alert a ON a.seq = p.seq"
        " WHERE p.output = ? AND p.seq > ? ORDER BY p.seq LIMIT ?",
        (output, after, limit),
    )
    return [Queued(seq, body) for seq, body in rows]


def acknowledge(db: sqlite3.Connection, output: str, seqs: Iterable[int]) -> None:
    """The receiver has them."""
    db.executemany("DELETE FROM pending WHERE output = ? AND seq = ?", [(output, seq) for seq in seqs])


def refuse(db: sqlite3.Connection, output: str, seqs: Sequence[int], reason: str) -> None:
    """The receiver will never take them: out of the queue, and kept in sight."""
    now = time.time_ns()
    db.executemany(
        "INSERT OR REPLACE INTO refused VALUES (?,?,?,?)", [(output, seq, now, reason[:500]) for seq in seqs]
    )
    acknowledge(db, output, seqs)
    count(db, f"refused:{output}", len(seqs))


def refused(db: sqlite3.Connection) -> dict[str, int]:
    """How many alerts each receiver refused and could be given again."""
    return dict(db.execute("SELECT output, count(*) FROM refused GROUP BY output").fetchall())


def requeue(db: sqlite3.Connection, output: str) -> int:
    """Give a receiver once more what it refused."""
    db.execute("INSERT OR IGNORE INTO pending SELECT output, seq FROM refused WHERE output = ?", (output,))
    return db.execute("DELETE FROM refused WHERE output = ?", (output,)).rowcount


def outputs(db: sqlite3.Connection) -> list[str]:
    """Receivers that something waits for; one look-up for each, however long the queues are."""
    rows = db.execute(
        "WITH RECURSIVE o(name) AS (SELECT min(output) FROM pending UNION ALL"
        " SELECT (SELECT min(output) FROM pending WHERE output > name) FROM o WHERE name IS NOT NULL)"
        " SELECT name FROM o WHERE name IS NOT NULL"
    )
    return [row[0] for row in rows]


def depth(db: sqlite3.Connection, output: str) -> Depth:
    """How much waits for a receiver."""
    number, first = db.execute(
        "SELECT count(*), min(seq) FROM pending WHERE output = ?", (output,)
    ).fetchone()
    row = db.execute("SELECT kept FROM alert WHERE seq = ?", (first,)).fetchone() if number else None
    return Depth(number, row[0] if row else None)


def count(db: sqlite3.Connection, name: str, more: int) -> None:
    """Add to a counter that outlives the process."""
    if not more:
        return
    db.execute(
        "INSERT INTO counter VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value",
        (name, more),
    )


def counters(db: sqlite3.Connection) -> dict[str, int]:
    """Every counter."""
    return dict(db.execute("SELECT name, value FROM counter ORDER BY name"))
