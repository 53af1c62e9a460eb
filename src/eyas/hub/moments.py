"""Moments as people type them: `2h` ago, `14:30`, `yesterday`, `2026-11-25`, or an RFC 3339 time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from eyas.alert import SECOND
from eyas.delivery import stored
from eyas.errors import UsageError
from eyas.rules.grouping import seconds

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def moment(text: str, now: datetime | None = None) -> int:
    """Nanoseconds of the epoch; local time where no zone is given."""
    at = now or datetime.now().astimezone()
    low = text.strip().lower()
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if low in ("now", "today", "yesterday"):
        return _nanoseconds({"now": at, "today": today, "yesterday": today - timedelta(days=1)}[low])
    if _DAY.fullmatch(low):
        return _nanoseconds(datetime.fromisoformat(low).astimezone())
    if clock := _CLOCK.fullmatch(text.strip()):
        day = datetime.fromisoformat(clock[1]).astimezone() if clock[1] else today
        found = day.replace(hour=int(clock[2]), minute=int(clock[3]), second=int(clock[4] or 0))
        return _nanoseconds(found)
    try:
        return _nanoseconds(at - timedelta(seconds=seconds(low.removesuffix(" ago"))))
    except (ValueError, OverflowError):
        pass
    try:
        return stored.nanoseconds(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is not a time", "write 2h, 14:30, yesterday, 2026-11-25 or 2026-11-25T14:30:00Z"
        ) from None


def length(text: str) -> int:
    """Nanoseconds of a duration."""
    try:
        return int(seconds(text) * SECOND)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
