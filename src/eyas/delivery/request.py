"""What is sent to a receiver, who carries it, and what the answer means. Nothing here opens a connection."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol

from eyas.errors import EyasError

# Answers that belong to one message and will not change: a body, length, type or header that is not taken.
# All others may: the receiver is busy or broken, or its address or our credentials can be mended.
NEVER = frozenset((400, 406, 411, 412, 413, 414, 415, 417, 421, 422, 431))
LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a connection believes: files (or a folder) of certificates, and whether the receiver's is checked."""

    check: bool = True
    _: KW_ONLY
    ca_file: str | None = None
    ca_path: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One message to a receiver, complete.

    Over HTTP the method is the one of HTTP. Elsewhere it is the verb of that protocol (`PUBLISH`, `RPUSH`),
    the address names topic or queue, and the headers hold whatever else the client library is told.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not clean(name) or not clean(value):
                raise HeaderError(f"header {name!r}: a line break or control character in {value!r}")
        if not clean(self.url) or not clean(self.method):
            raise HeaderError(f"address {self.url!r}: a line break or control character")


class HeaderError(EyasError):
    """A request whose head would break into two."""


def clean(text: str) -> bool:
    """Whether text can stand in the head of a request."""
    return not any((c < " " and c != "\t") or c == "\x7f" for c in text)


class Outcome(Enum):
    """What an answer means for the queue."""

    DELIVERED = "delivered"  # drop it from the queue
    RETRY = "retry"  # keep it and come back
    REFUSED = "refused"  # the receiver will never take it: count it, put it aside


@dataclass(frozen=True, slots=True)
class Answer:
    """The meaning of a receiver's answer; `after` is how many seconds it asks us to wait."""

    outcome: Outcome
    reason: str = ""
    after: float | None = None


def delivered() -> Answer:
    """The receiver has it."""
    return Answer(Outcome.DELIVERED)


def retry(reason: str, after: float | None = None) -> Answer:
    """Not now. Nobody can ask us to wait longer than an hour."""
    if after is None or math.isnan(after):
        return Answer(Outcome.RETRY, _line(reason))
    return Answer(Outcome.RETRY, _line(reason), min(max(after, 0.0), LONGEST_WAIT))


def refused(reason: str) -> Answer:
    """Never."""
    return Answer(Outcome.REFUSED, _line(reason))


def _line(text: str) -> str:
    """Words of a receiver on one line; nothing in them moves the cursor of whoever reads the log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class Sender(Protocol):
    """Carries requests to a receiver that wants a connection held open. Used by one thread at a time."""

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Send the batch; one answer for each request, in order. A broken connection is an answer, `retry`."""

    def close(self) -> None:
        """Let go of the connection."""


def in_turn(batch: Sequence[Request], one: Callable[[Request], Answer]) -> list[Answer]:
    """Answers to requests that are sent one after the other; behind one that has to come back the rest waits."""
    answers: list[Answer] = []
    for request in batch:
        answers.append(one(request))
        if answers[-1].outcome is Outcome.RETRY:
            break
    return answers + [retry("waits behind an earlier one")] * (len(batch) - len(answers))


def classify(
    status: int, headers: Mapping[str, str], body: bytes = b"", now: datetime | None = None
) -> Answer:
    """The meaning of an HTTP answer: 2xx is delivered, a fault of the message refused, all else comes back later."""
    if 200 <= status < 300:
        return delivered()
    detail = body[:300].decode("utf-8", "replace").strip()
    reason = f"HTTP {status}: {detail}" if detail else f"HTTP {status}"
    if status in NEVER:
        return refused(reason)
    return retry(reason, wait(headers, now or datetime.now(UTC)))


def wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or a date (RFC 9110, 10.2.3)."""
    value = next((v.strip() for k, v in headers.items() if k.lower() == "retry-after"), "")
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = email.utils.parsedate_to_datetime(value)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return (when - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
