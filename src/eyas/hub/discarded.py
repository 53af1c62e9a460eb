"""What had to go on a full disk: told at once, then once a minute with the sum of the minute."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

EVERY = 60.0  # seconds between two times that it is told


class Discarded:
    """Counts by severity what nobody has been told of yet. Any thread may call."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._untold: Counter[int] = Counter()
        self._told: float | None = None

    def add(self, gone: Counter[int]) -> None:
        """Count what went."""
        with self._lock:
            self._untold += gone

    def due(self) -> Counter[int]:
        """What is to be told now: the first at once."""
        with self._lock:
            if self._told is not None and self._now() - self._told < EVERY:
                return Counter()
            return self._take()

    def rest(self) -> Counter[int]:
        """What is left to tell, whatever the time."""
        with self._lock:
            return self._take()

    def _take(self) -> Counter[int]:
        taken, self._untold = self._untold, Counter()
        if taken:
            self._told = self._now()
        return taken
