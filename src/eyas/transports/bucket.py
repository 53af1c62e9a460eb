"""Limit of a rate, one for each sender: a bucket that fills with time and that every request takes from."""

from __future__ import annotations

SENDERS = 10_000


class Buckets:
    """Buckets by sender; the oldest is forgotten when there are too many."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate)
        self._level: dict[str, tuple[float, float]] = {}

    def take(self, sender: str, now: float) -> bool:
        """Take one; false when the sender's bucket is empty."""
        level, at = self._level.pop(sender, (self._size, now))
        level = min(self._size, level + (now - at) * self._rate)
        good = level >= 1.0
        self._level[sender] = (level - 1.0 if good else level, now)
        if len(self._level) > SENDERS:
            del self._level[next(iter(self._level))]
        return good
