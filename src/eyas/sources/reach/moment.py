"""Times as services write them, in both directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


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
