"""Hours that come back every week: `sun 02:00-04:00`, `mon-fri 22:00-06:00`, `daily 01:00-01:30`, in local time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from eyas.alert import SECOND
from eyas.errors import UsageError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of some days; those that end before they begin end on the day after."""

    days: frozenset[int]
    begin: int
    end: int

    def holds(self, ts: int) -> bool:
        """Whether a moment (nanoseconds of the epoch) lies within."""
        at = datetime.fromtimestamp(ts // SECOND)
        minute, day = at.hour * 60 + at.minute, at.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        late = day in self.days and minute >= self.begin
        return late or ((day - 1) % 7 in self.days and minute < self.end)


@lru_cache(maxsize=64)
def parse(text: str) -> Hours:
    """Read hours of the week."""
    days, _, hours = text.strip().lower().rpartition(" ")
    match = _HOURS.fullmatch(hours)
    if match is None:
        raise _unreadable(text)
    begin, end = (int(match[n]) * 60 + int(match[n + 1]) for n in (1, 3))
    if begin >= DAY or end > DAY or begin == end:
        raise _unreadable(text)
    return Hours(_days(days.strip() or "daily", text), begin, end)


def _days(words: str, text: str) -> frozenset[int]:
    if words == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for word in re.split(r"[,\s]+", words):
        first, _, last = word.partition("-")
        if first[:3] not in DAYS or (last or first)[:3] not in DAYS:
            raise _unreadable(text)
        at, until = DAYS.index(first[:3]), DAYS.index((last or first)[:3])
        found |= {(at + n) % 7 for n in range((until - at) % 7 + 1)}
    return frozenset(found)


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"'{text}' is not a time of the week",
        "write sun 02:00-04:00, mon-fri 22:00-06:00 or daily 01:00-01:30",
    )
