"""How fast and how often: a bucket of tokens, and the wait before the next try."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST = 0.5
LONGEST = 60.0


@dataclass(slots=True)
class Bucket:
    """So many a second, and so many at once."""

    rate: float
    burst: float
    level: float = -1.0
    at: float = 0.0

    def take(self, now: float, wanted: float = 1.0) -> bool:
        """Take tokens if they are there."""
        self._fill(now)
        if self.level < wanted:
            return False
        self.level -= wanted
        return True

    def delay(self, now: float) -> float:
        """Seconds until a token is there."""
        self._fill(now)
        return max(0.0, (1.0 - self.level) / self.rate) if self.rate > 0 else 0.0

    def _fill(self, now: float) -> None:
        if self.level < 0:
            self.level, self.at = self.burst, now
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)


def backoff(failures: int, asked: float | None, chance: random.Random) -> float:
    """Seconds to wait after some failures in a row; half of it is left to chance, so that senders spread."""
    most = min(LONGEST, FIRST * 2.0 ** min(failures - 1, 20))
    return max(asked or 0.0, chance.uniform(most / 2, most))
