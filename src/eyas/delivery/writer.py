"""The one thread that writes: it commits whatever gathered since the last commit, then tells who waits for it.

`put` returns at once while there is room for the alert in memory. It never waits for a receiver, only, when
`BOUND` alerts have gathered, for the disk; on a disk that stays full the least severe of them go, counted. Words
that wait to be said are bounded alike.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from eyas.delivery import discard, journal
from eyas.delivery.discard import Policy
from eyas.delivery.journal import Entry

log = structlog.get_logger("eyas.delivery")

BOUND = 10_000
WORDS = 1_000
GROUP = 5_000
TRIES = 8  # of a commit that finds the disk full
CHECK_EVERY = 64  # commits between two looks at the size of the store

Change = Callable[[sqlite3.Connection], object]


@dataclass(frozen=True, slots=True)
class Word:
    """Something that is said once all before it is on disk."""

    say: Callable[[], None]


Item = Entry | Change | Word


def _nothing(_: object) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of alerts that are on disk, and of alerts that went though someone waited for them."""

    kept: Callable[[Sequence[Entry]], None] = _nothing
    gone: Callable[[Counter[int]], None] = _nothing


class Writer:
    """Commits alerts and changes in groups, in the order in which they came."""

    def __init__(
        self, folder: Path, policy: Policy | None = None, ears: Ears | None = None, bound: int = BOUND
    ) -> None:
        self._folder = folder
        self._policy = policy or Policy()
        self._ears = ears or Ears()
        self._bound = bound
        self._db = journal.connect(folder)
        self._room = discard.room_of(folder)
        journal.fold_at(self._db, self._room.log)
        discard.reserve(folder, self._room)
        self._items: deque[Item] = deque()
        self._words = 0
        self._busy = 0  # how many of the first items are being written
        self._state = threading.Condition()
        self._given = 0
        self._done = 0
        self._commits = 0
        self._closing = False
        self._lent = False  # the reserve was given back to a full disk
        self.trouble = ""  # why the disk does not take anything at present
        self.overflowed: Counter[int] = Counter()  # severity of alerts that never reached the disk
        self._thread = threading.Thread(target=self._run, name="eyas-writer", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Hand over an alert."""
        self._give(entry)

    def change(self, change: Change) -> None:
        """Hand over a change, such as an acknowledgement; it is committed with the next group."""
        self._give(change)

    def say(self, word: Callable[[], None]) -> None:
        """Say something once all that was handed over before is on disk, or the disk refuses it."""
        with self._state:
            self._state.wait_for(self._may_speak)
            self._words += 1
            self._give(Word(word))

    def _may_speak(self) -> bool:
        """Whether one more word has room; who writes does not wait for itself."""
        writes = threading.current_thread() is self._thread
        return self._words < WORDS or bool(self.trouble) or self._closing or writes

    def flush(self, timeout: float = 60.0) -> bool:
        """Wait until all that was handed over is on disk; False when the disk does not take it."""
        with self._state:
            target = self._given
            self._state.wait_for(lambda: self._done >= target or bool(self.trouble), timeout)
            return self._done >= target

    def close(self, timeout: float = 60.0) -> None:
        """Write what is left and close the store."""
        with self._state:
            self._closing = True
            self._state.notify_all()
        self._thread.join(timeout)

    def _give(self, item: Item) -> None:
        with self._state:
            full = isinstance(item, Entry) and len(self._items) >= self._bound
            if full:
                self._state.wait_for(
                    lambda: len(self._items) < self._bound or bool(self.trouble) or self._closing
                )
            if full and len(self._items) >= self._bound:
                self._overflow()
            self._items.append(item)
            self._given += 1
            self._state.notify_all()

    def _overflow(self) -> None:
        """Drop some of the least severe alerts in memory; called with the lock, when the disk takes nothing."""
        waiting = [
            (-item.severity, at)
            for at, item in enumerate(self._items)
            if at >= self._busy and isinstance(item, Entry)
        ]
        dropped = {at for _, at in sorted(waiting)[: max(1, self._bound // 100)]}
        for at in dropped:
            item = self._items[at]
            self.overflowed[item.severity if isinstance(item, Entry) else 0] += 1
        self._items = deque(item for at, item in enumerate(self._items) if at not in dropped)
        self._done += len(dropped)

    def _run(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._items or self._closing)
                if not self._items:
                    break
                group = self._group()
                self._busy = len(group)
            if self._commit(group):
                self._finish(group)
                continue
            self._speak_anyway()
            if self._closing:
                break
            with self._state:
                self._state.wait_for(lambda: self._closing, 1.0)
        self._db.close()

    def _group(self) -> list[Item]:
        """What goes into the next commit; the log of a commit stays smaller than the room that is kept."""
        group: list[Item] = []
        size = 0
        for item in self._items:
            size += len(item.body) if isinstance(item, Entry) else 0
            if group and (size > self._room.group or len(group) >= GROUP):
                break
            group.append(item)
        return group

    def _finish(self, group: Sequence[Item]) -> None:
        with self._state:
            for _ in group:
                self._items.popleft()
            self._busy = 0
            told, self.trouble = self.trouble, ""
        if told:
            log.info("the store takes alerts again")
        entries = [item for item in group if isinstance(item, Entry)]
        if entries:
            self._ears.kept(entries)
        for item in group:
            if isinstance(item, Word):
                item.say()
        with self._state:
            self._words -= sum(isinstance(item, Word) for item in group)
            self._done += len(group)
            self._state.notify_all()

    def _speak_anyway(self) -> None:
        """While the disk takes nothing people still hear of alerts, the ones that may be lost most of all."""
        with self._state:
            self._busy = 0
            words = [item for item in self._items if isinstance(item, Word)]
            self._items = deque(item for item in self._items if not isinstance(item, Word))
            self._words -= len(words)
            self._done += len(words)
            self._state.notify_all()
        for word in words:
            word.say()

    def _commit(self, group: Sequence[Item]) -> bool:
        """Write a group; a full disk is made room on a few times, then it is trouble and tried again later."""
        for attempt in range(TRIES):
            try:
                gone = self._write(group)
            except sqlite3.Error as error:
                self._rollback()
                if attempt == TRIES - 1 or not _is_full(error) or not self._make_room():
                    self._tell_trouble(str(error))
                    return False
                continue
            if gone:
                self._ears.gone(gone)
            if self._lent:
                self._reserve_again()
            return True
        return False

    def _write(self, group: Sequence[Item]) -> Counter[int]:
        gone: Counter[int] = Counter()
        entries = [item for item in group if isinstance(item, Entry)]
        changes = [item for item in group if not isinstance(item, Entry | Word)]
        if not entries and not changes:
            return gone
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

    def _tell_trouble(self, reason: str) -> None:
        if not self.trouble:
            log.error("the store takes nothing, alerts wait in memory", reason=reason)
        self.trouble = reason

    def _make_room(self) -> bool:
        """Let go of the reserve and fold the log in; alerts go only if the store has no free pages for new ones."""
        discard.give_back(self._folder)
        self._lent = True
        gone: Counter[int] = Counter()
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not discard.roomy(self._db, self._room):
                self._db.execute("BEGIN IMMEDIATE")
                gone = discard.release(self._db, self._room.chunk)
                self._db.execute("COMMIT")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            self._rollback()
            return False
        if gone:
            self._ears.gone(gone)
        return True

    def _reserve_again(self) -> None:
        """Take the reserve back once the disk took something again."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        discard.reserve(self._folder, self._room)
        self._lent = False

    def _rollback(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "") in (
        "SQLITE_FULL",
        "SQLITE_IOERR_WRITE",
        "SQLITE_IOERR_SHMSIZE",
    )
