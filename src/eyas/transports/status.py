"""How a feed is doing: what `eyas sources status` shows, and the log lines of what was refused."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

# Every refusal is counted; of one reason, the first lines are logged and then every thousandth.
LOGGED = 20
SAMPLE = 1000


@dataclass(slots=True)
class Status:
    """Figures of one feed since it started."""

    feed: str
    state: str = "starting"  # starting, running, waiting, failed, ended, stopped
    detail: str = ""
    where: str = ""
    started: float = field(default_factory=time.time)
    last: float = 0.0
    parcels: int = 0
    bytes: int = 0
    events: int = 0
    alerts: int = 0
    repeated: int = 0
    untimed: int = 0
    retries: int = 0
    restarts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    heard: Callable[[Status], None] | None = None

    def turn(self, state: str, detail: str = "") -> None:
        """Note a new state; whoever listens is told."""
        if (state, detail) != (self.state, self.detail):
            self.state, self.detail = state, detail
            if self.heard is not None:
                self.heard(self)

    def refuse(self, reason: str, origin: str, detail: str = "", times: int = 1) -> None:
        """Count what was refused, and say so in one line."""
        before = self.refused[reason]
        count = self.refused[reason] = before + times
        if _is_told(before, count):
            _log().warning("refused", source=self.feed, at=origin, reason=reason, detail=detail, count=count)

    def date(self, origin: str, times: int = 1) -> None:
        """Count events that say no time of their own and were given one, and say so in one line."""
        before, self.untimed = self.untimed, self.untimed + times
        if _is_told(before, self.untimed):
            reason = "the event says no time that can be read"
            _log().warning(
                "judged at another time", source=self.feed, at=origin, reason=reason, count=self.untimed
            )

    def arrived(self, size: int) -> None:
        """Note that bytes came."""
        self.last = time.time()
        self.parcels += 1
        self.bytes += size
        self.turn("running")

    def json(self) -> dict[str, Any]:
        """The figures as plain values."""
        names = (one.name for one in fields(self) if one.name != "heard")
        return {**{name: getattr(self, name) for name in names}, "refused": dict(self.refused)}


def _is_told(before: int, count: int) -> bool:
    return count <= LOGGED or count // SAMPLE > before // SAMPLE


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.transports")
