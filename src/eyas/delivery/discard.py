"""What goes first when there is no more room: notes, what everyone has got, then the least severe, oldest first."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from eyas.delivery import journal

CHUNK = 2000
RESERVE = 12 << 20
TRACE = 24 << 10  # bytes that deleting one alert may leave in the log
RESERVE_FILE = "reserve"
SETTLED = "SELECT seq FROM alert WHERE kept < ? AND NOT {awaited}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds of the store. Alerts that a receiver still waits for go last."""

    max_bytes: int = 1 << 30
    max_age: int = 30 * 86400  # seconds; applies to alerts that everyone has got
    max_wait: int = 0  # seconds that an alert waits for a receiver at most; 0 is for ever


@dataclass(frozen=True, slots=True)
class Room:
    """How much is kept free, in bytes, and what may be moved at once so that it fits in there."""

    reserve: int = RESERVE

    @property
    def log(self) -> int:
        """Bytes of the log until it is folded into the store: a checkpoint has to fit into the reserve."""
        return self.reserve // 3

    @property
    def group(self) -> int:
        """Bytes of alerts in one commit."""
        return self.reserve // 6

    @property
    def chunk(self) -> int:
        """Alerts that are deleted at once."""
        return max(1, self.reserve // TRACE)


def room_of(folder: Path) -> Room:
    """A quarter of a small disk, and no more than `RESERVE` of a large one."""
    disk = os.statvfs(folder)
    return Room(min(RESERVE, disk.f_blocks * disk.f_frsize // 4))


def used(db: sqlite3.Connection) -> int:
    """Bytes of the store that hold something."""
    pages, free, size = (
        db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def roomy(db: sqlite3.Connection, room: Room) -> bool:
    """Whether deleted alerts left room within the store; a full disk lacks room for the log alone then."""
    free, size = (db.execute(f"PRAGMA {n}").fetchone()[0] for n in ("freelist_count", "page_size"))
    return bool(free * size >= room.log)


def shrink(db: sqlite3.Connection, policy: Policy) -> Counter[int]:
    """Bring the store below its size; tells how many of each severity went though a receiver waited for them."""
    gone: Counter[int] = Counter()
    while used(db) > policy.max_bytes:
        before = db.total_changes
        gone += release(db)
        if db.total_changes == before:
            break
    return gone


def release(db: sqlite3.Connection, chunk: int = CHUNK) -> Counter[int]:
    """Delete one chunk: notes for trails before any alert, then the alerts that are needed least."""
    notes = "SELECT coalesce(min(number), 0) + ? FROM activity"
    if db.execute(f"DELETE FROM activity WHERE number < ({notes})", (10 * chunk,)).rowcount:
        return Counter()
    settled = [
        row[0]
        for row in db.execute(f"SELECT seq FROM alert WHERE NOT {awaited(db)} ORDER BY seq LIMIT {chunk}")
    ]
    if settled:
        delete(db, settled)
        journal.count(db, "retired", len(settled))
        return Counter()
    rows = db.execute(
        "SELECT seq, severity FROM alert ORDER BY severity DESC, seq LIMIT ?", (chunk,)
    ).fetchall()
    delete(db, [seq for seq, _ in rows])
    gone = Counter(severity for _, severity in rows)
    for severity, number in gone.items():
        journal.count(db, f"discarded:{severity}", number)
    return gone


def retire(db: sqlite3.Connection, before: int) -> int:
    """Delete alerts older than a moment that nobody waits for."""
    rows = db.execute(SETTLED.format(awaited=awaited(db)), (before,)).fetchall()
    delete(db, [row[0] for row in rows])
    db.execute(
        "DELETE FROM activity WHERE number <= (SELECT coalesce(max(number), 0) FROM activity WHERE kept < ?)",
        (before,),
    )
    journal.count(db, "retired", len(rows))
    return len(rows)


def expire(db: sqlite3.Connection, before: int) -> int:
    """Take alerts older than a moment out of every queue; they stay in the store."""
    gone = db.execute(
        "DELETE FROM pending WHERE seq IN (SELECT seq FROM alert WHERE kept < ?)", (before,)
    ).rowcount
    journal.count(db, "expired", gone)
    return gone


def awaited(db: sqlite3.Connection) -> str:
    """Condition: some queue still holds the alert. One look-up for each queue, none over all of them."""
    names = journal.outputs(db)
    listed = ",".join("'" + name.replace("'", "''") + "'" for name in names)
    return f"EXISTS (SELECT 1 FROM pending p WHERE p.output IN ({listed}) AND p.seq = alert.seq)"


def delete(db: sqlite3.Connection, seqs: list[int]) -> None:
    """Delete alerts with all that hangs on them."""
    if not seqs:
        return
    rows = [(seq,) for seq in seqs]
    queues = [(name, seq) for name in journal.outputs(db) for seq in seqs]
    db.executemany("DELETE FROM pending WHERE output = ? AND seq = ?", queues)
    db.executemany("DELETE FROM bundle WHERE lead = (SELECT id FROM alert WHERE seq = ?)", rows)
    db.executemany("DELETE FROM alert WHERE seq = ?", rows)
    db.execute(
        "INSERT INTO counter VALUES ('highest_discarded', ?)"
        " ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)",
        (max(seqs),),
    )


def reserve(folder: Path, room: Room) -> None:
    """Keep room on the disk, so that deleting is possible when it is full."""
    path = folder / RESERVE_FILE
    try:
        if path.exists() and path.stat().st_size == room.reserve:
            return
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.reserve)
    except OSError:
        path.unlink(missing_ok=True)


def give_back(folder: Path) -> None:
    """Let go of the room that was kept."""
    (folder / RESERVE_FILE).unlink(missing_ok=True)
