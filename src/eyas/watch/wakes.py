"""Everything that can wake the watch: what was found, signals, changed files, the end of the time."""

from __future__ import annotations

import contextlib
import enum
import selectors
import signal
import socket
import time
from types import FrameType, TracebackType
from typing import Any


class Wake(enum.Enum):
    """Why the watch woke."""

    FOUND = "found"
    RELOAD = "reload"
    LOADED = "loaded"
    STOP = "stop"
    BEAT = "beat"
    NOTICED = "noticed"


# One byte each on the socket; signals arrive as their number.
_WORDS = {
    signal.SIGINT: Wake.STOP,
    signal.SIGTERM: Wake.STOP,
    signal.SIGHUP: Wake.RELOAD,
    254: Wake.NOTICED,
    255: Wake.LOADED,
}


class Wakes:
    """Waits without polling. Signals are caught from `with` to its end."""

    def __init__(self, seconds: float | None = None, beat: float | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._beat = beat
        self._selector = selectors.DefaultSelector()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._before: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Wakes:
        self._wakeup = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, _nothing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(self._wakeup)
        self._selector.close()
        self._ear.close()
        self._mouth.close()

    def listen(self, source: Any) -> None:
        """Wake with FOUND when `source` is readable."""
        self._selector.register(source, selectors.EVENT_READ, Wake.FOUND)

    def restart(self, seconds: float | None) -> None:
        """Let the time begin now."""
        self._end = None if seconds is None else time.monotonic() + seconds

    def post(self, wake: Wake) -> None:
        """Wake from another thread."""
        number = next(number for number, word in _WORDS.items() if word is wake)
        with contextlib.suppress(OSError):
            self._mouth.send(bytes((number,)))

    def wait(self) -> set[Wake]:
        """Sleep until something happens."""
        woken: set[Wake] = set()
        for key, _ in self._selector.select(self._pause()):
            woken |= {key.data} if key.data else self._heard()
        if self._end is not None and time.monotonic() >= self._end:
            woken.add(Wake.STOP)
        return woken or {Wake.BEAT}

    def _pause(self) -> float | None:
        left = None if self._end is None else max(0.0, self._end - time.monotonic())
        pauses = [pause for pause in (left, self._beat) if pause is not None]
        return min(pauses, default=None)

    def _heard(self) -> set[Wake]:
        with contextlib.suppress(BlockingIOError):
            return {_WORDS[number] for number in self._ear.recv(4096) if number in _WORDS}
        return set()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The byte on the socket says it all."""
