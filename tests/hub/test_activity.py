"""Notes for trails, when they come faster than the disk takes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from eyas.hub import activity
from eyas.hub.activity import Activity, Notebook


@dataclass
class Disk:
    """A writer whose disk takes nothing until it is told to."""

    changes: list[Any] = field(default_factory=list)
    words: list[Callable[[], None]] = field(default_factory=list)

    def change(self, change: Any) -> None:
        self.changes.append(change)

    def say(self, word: Callable[[], None]) -> None:
        self.words.append(word)

    def flush(self) -> bool:
        words, self.words = self.words, []
        for word in words:
            word()
        return True


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "GROUP", 2)
    monkeypatch.setattr(activity, "WAITING", 6)


def notes(book: Notebook, count: int, ts: int) -> None:
    for number in range(count):
        book.add(Activity(ts, "h", "syscall", "exec", str(number), {}))


def test_of_a_flood_what_the_disk_is_too_slow_for_is_left_out_and_counted() -> None:
    disk = Disk()
    book = Notebook(disk, "h")
    notes(book, 10, time.time_ns())
    assert (len(disk.changes), book.left_out(), book.left_out()) == (3, 4, 0)
    disk.flush()
    notes(book, 2, time.time_ns())
    assert (len(disk.changes), book.left_out()) == (4, 0)


def test_a_replay_waits_for_the_disk_and_leaves_nothing_out() -> None:
    disk = Disk()
    book = Notebook(disk, "h")
    notes(book, 10, ts=1)
    assert (len(disk.changes), book.left_out()) == (5, 0)
