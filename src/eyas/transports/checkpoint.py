"""Where every feed stands, in one SQLite file: marks and identities are stored together, or not at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eyas.errors import RunError
from eyas.transports.parcel import Mark

KEEP_SECONDS = 7 * 86_400
PRUNE_EVERY = 1_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS marks (feed TEXT PRIMARY KEY, mark TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS seen (feed TEXT, id BLOB, at REAL NOT NULL, PRIMARY KEY (feed, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS status (feed TEXT PRIMARY KEY, body TEXT NOT NULL, at REAL NOT NULL);
"""


class Checkpoints:
    """The store. One connection, guarded by a lock: feeds ask from their own threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._commits = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise RunError(f"{path}: the checkpoints cannot be opened: {error}") from None

    def mark(self, feed: str) -> Mark:
        """Where a feed goes on; None at its first start."""
        row = self._one("SELECT mark FROM marks WHERE feed = ?", (feed,))
        return json.loads(row[0]) if row else None

    def has(self, feed: str, key: str) -> bool:
        """Whether something with this identity is safe already."""
        return self._one("SELECT 1 FROM seen WHERE feed = ? AND id = ?", (feed, digest(key))) is not None

    def commit(self, feed: str, mark: Mark, keys: Iterable[str] = ()) -> None:
        """Store where a feed goes on and what it has dealt with, in one transaction."""
        now = time.time()
        with self._writing():
            self._db.execute("BEGIN IMMEDIATE")
            if mark is not None:
                self._db.execute(
                    "INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (feed, json.dumps(mark), now)
                )
            rows = [(feed, digest(key), now) for key in keys]
            self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", rows)
            self._commits += 1
            if self._commits % PRUNE_EVERY == 0:
                self._db.execute("DELETE FROM seen WHERE at < ?", (now - KEEP_SECONDS,))

    def report(self, feed: str, body: dict[str, Any]) -> None:
        """Store how a feed is doing."""
        with self._writing():
            row = (feed, json.dumps(body), time.time())
            self._db.execute("INSERT OR REPLACE INTO status VALUES (?, ?, ?)", row)

    def reports(self) -> dict[str, dict[str, Any]]:
        """What every feed reported last, and when (`at`)."""
        with self._lock:
            rows = self._db.execute("SELECT feed, body, at FROM status ORDER BY feed").fetchall()
        return {feed: {**json.loads(body), "at": at} for feed, body, at in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; RunError when the disk does not take it."""
        try:
            with self._lock, self._db:
                yield
        except sqlite3.Error as error:
            raise RunError(f"the checkpoints cannot be written: {error}") from None

    def _one(self, sql: str, values: tuple[Any, ...]) -> Any:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise RunError(f"the checkpoints cannot be read: {error}") from None


def digest(key: str) -> bytes:
    """An identity in sixteen bytes."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
