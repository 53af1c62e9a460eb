"""The lane between the feeds and the judge: parcels wait there, as many as memory allows."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """Things with a size, in order. Many may put; one takes all that are there, so that they are dealt with together."""

    def __init__(self, most: int, bytes_: int) -> None:
        self._most, self._bytes = most, bytes_
        self._waiting: deque[tuple[T, int]] = deque()
        self._size = 0
        lock = threading.Lock()
        self._filled, self._emptied = threading.Condition(lock), threading.Condition(lock)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, one: T, size: int, timeout: float) -> bool:
        """Put something there; false when there is no room for so long. What is too large alone has room alone."""
        until = time.monotonic() + timeout
        with self._emptied:
            while self._waiting and (len(self._waiting) >= self._most or self._size + size > self._bytes):
                if not self._emptied.wait(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                    return False
            self._waiting.append((one, size))
            self._size += size
            if len(self._waiting) == 1:
                self._filled.notify()
            return True

    def take(self, timeout: float) -> list[T]:
        """Everything that is there; waits for something at most so long."""
        with self._filled:
            if not self._waiting:
                self._filled.wait(timeout)
            found = [one for one, _ in self._waiting]
            self._waiting.clear()
            self._size = 0
            self._emptied.notify_all()
            return found
