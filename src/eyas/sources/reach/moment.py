"""Times as services write them, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any


def written(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, `2026-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def ago(seconds: float) -> str:
    """A moment before now, written."""
    return written(now() - timedelta(seconds=seconds))


def before(text: str, seconds: float) -> str:
    """A moment before a written one."""
    return written(datetime.fromisoformat(text) - timedelta(seconds=seconds))


def nanoseconds(text: str) -> int:
    """Nanoseconds since the epoch."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (int(moment.timestamp()) * 1_000_000 + moment.microsecond) * 1000


def at(seconds: float) -> str:
    """Seconds since the epoch, written."""
    return written(datetime.fromtimestamp(seconds, UTC))


def of_milliseconds(value: Any) -> str | None:
    """Milliseconds since the epoch, written; None for what is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return at(value / 1000)
    except (OverflowError, ValueError, OSError):
        return None


def read(value: Any) -> datetime | None:
    """A written time, in UTC where it names no zone; None for what is none."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def newest(mark: str, times: Iterable[Any]) -> str:
    """The latest of written times. What is none, or is still to come, does not count: asking from there on would miss
    what happens until then."""
    latest, end = read(mark), now()
    for text in times:
        moment = read(text)
        if moment is not None and moment <= end and (latest is None or moment > latest):
            latest, mark = moment, str(text)
    return mark
