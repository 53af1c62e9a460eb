"""What every transport hands on, and what each is given: bytes with their origin, where it left off, when to stop."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eyas.transports.status import Status

# Where a transport goes on from: any value that JSON can hold. Only the transport that made it reads it.
Mark = Any


class Outcome(enum.Enum):
    """What became of a parcel."""

    SAFE = "safe"  # judged, and its alerts are stored
    REFUSED = "refused"  # its bytes make no sense; sending them again changes nothing
    AGAIN = "again"  # it could not be dealt with now


def nothing(_: Outcome) -> None:
    """Answer of transports that need no answer."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes that arrived together.

    `mark` is where to go on once this parcel and all before it are safe. `settle` tells the sender.
    """

    body: bytes
    origin: str
    mark: Mark = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    settle: Callable[[Outcome], None] = nothing


def _never(_: str) -> bool:
    return False


def _untold(_: Exception) -> None:
    """Nobody listens."""


def _forget(_: Mark) -> None:
    """Keep nothing: nobody goes on from here."""


@dataclass(slots=True)
class Link:
    """What a running transport is given. `begin` stores where it starts for the first time, before anything has come:
    what comes while Eyas is down then is no gap."""

    status: Status
    mark: Mark = None
    stop: threading.Event = field(default_factory=threading.Event)
    seen: Callable[[str], bool] = _never
    failed: Callable[[Exception], None] = _untold
    begin: Callable[[Mark], None] = _forget

    def wait(self, seconds: float) -> bool:
        """Wait; true when it is time to stop."""
        return self.stop.wait(seconds)
