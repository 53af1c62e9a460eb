"""When a plugin whose process failed is started again: after 1, 2, 4 … 60 seconds, and it is said once."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from eyas.errors import EyasError
from eyas.transports.status import Status

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
STEADY = 60.0  # seconds without a failure after which an outage is over

Tell = Callable[[EyasError], None]


class Outage:
    """The failures of one plugin in a row. `tell` is called with the first of them."""

    def __init__(
        self,
        status: Status,
        tell: Tell,
        name: str,
        pauses: Sequence[float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._status, self._tell, self._name, self._clock = status, tell, name, clock
        self._pauses = PAUSES if pauses is None else pauses
        self._failures = 0
        self._last = self._began = clock()

    def failed(self, error: EyasError) -> float:
        """Note a failure; the seconds to wait before the next start."""
        now = self._clock()
        self.works()
        self._failures += 1
        self._last = now
        self._status.restarts += 1
        if self._failures == 1:
            self._began = now
            self._tell(error)
        pause = self._pause()
        self._status.turn("failed", f"{error}; failure {self._failures}, next start in {pause:g} s")
        return pause

    def works(self) -> None:
        """Note that the plugin has answered."""
        now = self._clock()
        if self._failures and now - self._last > self._pause() + STEADY:
            self._over(now)

    def _pause(self) -> float:
        return self._pauses[min(self._failures, len(self._pauses)) - 1]

    def _over(self, now: float) -> None:
        _log().warning(
            "works again",
            plugin=self._name,
            restarts=self._failures,
            seconds=round(now - self._began),
        )
        self._failures = 0


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.plugins")
