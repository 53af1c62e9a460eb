"""Moments as people type them: `2h`, `2 hours ago`, `14:30`, `monday`, `2026-11-25`, or an RFC 3339 time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from eyas.alert import SECOND
from eyas.delivery import stored
from eyas.errors import UsageError
from eyas.rules.grouping import seconds

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# `2 hours` is `2h`; months and years are not of one length.
_LONG = re.compile(r"(\d)\s*(s|m|h|d|w)(?:ec|econd|in|inute|r|our|ay|k|eek)?s?\b\s*(?:and\s+)?")
_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def moment(text: str, now: datetime | None = None) -> int:
    """Nanoseconds of the epoch; local time where no zone is given."""
    at = now or datetime.now().astimezone()
    low = text.strip().lower()
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if low in ("now", "today", "yesterday"):
        return _nanoseconds({"now": at, "today": today, "yesterday": today - timedelta(days=1)}[low])
    if low in _WEEK:
        return _nanoseconds(today - timedelta(days=(today.weekday() - _WEEK.index(low)) % 7))
    if _DAY.fullmatch(low):
        return _nanoseconds(datetime.fromisoformat(low).astimezone())
    if clock := _CLOCK.fullmatch(text.strip()):
        day = datetime.fromisoformat(clock[1]).astimezone() if clock[1] else today
        found = day.replace(hour=int(clock[2]), minute=int(clock[3]), second=int(clock[4] or 0))
        return _nanoseconds(found)
    try:
        return _nanoseconds(at - timedelta(seconds=seconds(_LONG.sub(r"\1\2", low.removesuffix(" ago")))))
    except (ValueError, OverflowError):
        pass
    try:
        return stored.nanoseconds(text)
    except ValueError:
        raise UsageError(
            f"'{text}' is not a time",
            "write 2h, 2 hours ago, 14:30, monday, 2026-11-25 or 2026-11-25T14:30:00Z",
        ) from None


def length(text: str) -> int:
    """Nanoseconds of a duration."""
    try:
        return int(seconds(text) * SECOND)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
