"""The one thread that writes: it commits whatever gathered since the last commit, then tells who waits for it.

`put` returns at once while there is room for the alert in memory. It never waits for a receiver, only, when
`BOUND` alerts have gathered, for the disk; on a disk that stays full the least severe of them go, counted.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

from eyas.delivery import discard, journal
from eyas.delivery.discard import Policy
from eyas.delivery.journal import Entry

BOUND = 50_000
GROUP = 5_000
GROUP_BYTES = 2 << 20
CHECK_EVERY = 64  # commits between two looks at the size of the store

Change = Callable[[sqlite3.Connection], object]
Kept = Callable[[Sequence[Entry]], None]
Gone = Callable[[Counter[int]], None]


def _nothing(_: object) -> None:
    """Listen to nothing."""


class Writer:
    """Commits alerts and changes in groups."""

    def __init__(
        self,
        folder: Path,
        policy: Policy | None = None,
        *,
        kept: Kept = _nothing,
        gone: Gone = _nothing,
        bound: int = BOUND,
    ) -> None:
        self._folder = folder
        self._policy = policy or Policy()
        self._kept = kept
        self._gone = gone
        self._bound = bound
        self._db = journal.connect(folder)
        discard.reserve(folder)
        self._entries: deque[Entry] = deque()
        self._changes: deque[Change] = deque()
        self._state = threading.Condition()
        self._given = 0
        self._done = 0
        self._commits = 0
        self._closing = False
        self.trouble = ""  # why the disk does not take anything at present
        self.overflowed: Counter[int] = Counter()  # severity of alerts that never reached the disk
        self._thread = threading.Thread(target=self._run, name="eyas-writer", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Hand over an alert."""
        with self._state:
            while len(self._entries) >= self._bound and not self.trouble and not self._closing:
                self._state.wait(1.0)
            if len(self._entries) >= self._bound:
                self._overflow()
            self._entries.append(entry)
            self._given += 1
            self._state.notify_all()

    def change(self, change: Change) -> None:
        """Hand over a change, such as an acknowledgement; it is committed with the next group."""
        with self._state:
            self._changes.append(change)
            self._given += 1
            self._state.notify_all()

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until all that was handed over is on disk."""
        with self._state:
            target = self._given
            return self._state.wait_for(lambda: self._done >= target or bool(self.trouble), timeout) and (
                self._done >= target
            )

    def close(self, timeout: float = 60.0) -> None:
        """Write what is left and close the store."""
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._thread.join(timeout)

    def _overflow(self) -> None:
        """Drop some of the least severe alerts in memory; called with the lock, when the disk takes nothing."""
        order = sorted(range(len(self._entries)), key=lambda i: (-self._entries[i].severity, i))
        dropped = set(order[: max(1, self._bound // 100)])
        self.overflowed.update(self._entries[i].severity for i in dropped)
        self._entries = deque(entry for i, entry in enumerate(self._entries) if i not in dropped)
        self._done += len(dropped)

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._entries or self._changes or self._closing)
                if not self._entries and not self._changes:
                    break
                entries = self._group()
                changes = list(self._changes)
            if self._commit(entries, changes):
                self._finish(entries, len(changes))
            elif self._closing:
                break
            else:
                with self._state:
                    self._state.notify_all()
                    self._state.wait_for(lambda: self._closing, 1.0)
        self._db.close()

    def _group(self) -> list[Entry]:
        """What goes into the next commit; the log of a commit stays smaller than the room that is kept."""
        group: list[Entry] = []
        size = 0
        for entry in itertools.islice(self._entries, GROUP):
            size += len(entry.body)
            if group and size > GROUP_BYTES:
                break
            group.append(entry)
        return group

    def _finish(self, entries: Sequence[Entry], changes: int) -> None:
        with self._state:
            taken = {id(entry) for entry in entries}
            while self._entries and id(self._entries[0]) in taken:
                self._entries.popleft()
            for _ in range(changes):
                self._changes.popleft()
            self._done += len(entries) + changes
            self.trouble = ""
            self._state.notify_all()
        if entries:
            self._kept(entries)

    def _commit(self, entries: Sequence[Entry], changes: Sequence[Change]) -> bool:
        """Write a group; a full disk is made room on once, then it is trouble and tried again later."""
        for attempt in (1, 2):
            try:
                gone = self._write(entries, changes)
            except sqlite3.Error as error:
                self._rollback()
                self.trouble = str(error)
                if attempt == 2 or not _is_full(error) or not self._make_room():
                    return False
                continue
            if gone:
                self._gone(gone)
            return True
        return False

    def _write(self, entries: Sequence[Entry], changes: Sequence[Change]) -> Counter[int]:
        gone: Counter[int] = Counter()
        self._db.execute("BEGIN IMMEDIATE")
        if entries:
            journal.append(self._db, entries)
        for change in changes:
            change(self._db)
        if self._commits % CHECK_EVERY == 0:
            gone = discard.shrink(self._db, self._policy)
            self._by_age()
        self._db.execute("COMMIT")
        self._commits += 1
        return gone

    def _by_age(self) -> None:
        now = time.time_ns()
        discard.retire(self._db, now - self._policy.max_age * 1_000_000_000)
        if self._policy.max_wait:
            discard.expire(self._db, now - self._policy.max_wait * 1_000_000_000)

    def _make_room(self) -> bool:
        discard.give_back(self._folder)
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute("BEGIN IMMEDIATE")
            gone = discard.release(self._db)
            self._db.execute("COMMIT")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            self._rollback()
            self.trouble = str(error)
            return False
        discard.reserve(self._folder)
        if gone:
            self._gone(gone)
        return True

    def _rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "") in (
        "SQLITE_FULL",
        "SQLITE_IOERR_WRITE",
        "SQLITE_IOERR_SHMSIZE",
    )
