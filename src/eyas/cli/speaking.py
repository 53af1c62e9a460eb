"""How alerts are said on standard output: in turn, or beside the work so that nobody who does not read holds it up."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import click

ROOM = 8 << 20  # bytes of lines that wait for their reader
PATIENCE = 5.0  # seconds which a reader has at the end
PIECE = select.PIPE_BUF  # what a pipe that is ready takes without waiting


class Voice(Protocol):
    """Says lines; what fails is kept, as it may happen in another thread than the one that has to know."""

    error: OSError | None

    def say(self, line: str) -> None:
        """Say a line."""

    def close(self) -> None:
        """Say what waits, as far as somebody reads."""


class Plain:
    """Says each line before the work goes on: nothing is left out."""

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._flush = sys.__stdout__ is not None and sys.stdout.isatty()

    def say(self, line: str) -> None:
        """Print a line."""
        if self.error is None:
            self._try(lambda: print(line, flush=self._flush))

    def close(self) -> None:
        """Print what is buffered."""
        if self.error is None and sys.__stdout__ is not None:
            self._try(sys.stdout.flush)

    def check(self) -> None:
        """Fail if a line could not be said."""
        if self.error is not None:
            raise self.error

    def _try(self, do: Callable[[], None]) -> None:
        try:
            do()
        except OSError as error:
            self.error = error


def beside(failed: Callable[[], None]) -> Voice:
    """A voice that holds nothing up; without a standard output lines go nowhere."""
    return Plain() if sys.__stdout__ is None else Aside(failed)


class Aside:
    """Says lines in a thread of its own. When nobody reads, a bounded number waits; the rest is counted and left out.

    `failed` is called once when standard output is broken, at once even if there is nothing to say.
    """

    def __init__(self, failed: Callable[[], None], out: int = 1, room: int = ROOM) -> None:
        self.error: OSError | None = None
        self.unsaid = 0
        self._failed = failed
        self._out = out
        self._room = room
        self._lock = threading.Lock()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._rest = b""  # of the line that is being said
        self._end: float | None = None
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="eyas-voice", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Let a line wait for its turn; never waits itself."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            if self.error is not None or self._size + len(data) > self._room:
                self._leave_out()
                return
            self._lines.append(data)
            self._size += len(data)
        os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Give the reader a last while, and tell what was not said."""
        self._end = time.monotonic() + PATIENCE
        os.eventfd_write(self._bell, 1)
        self._thread.join(PATIENCE + 1)
        self.unsaid += len(self._lines) + bool(self._rest)
        if self.unsaid and not isinstance(self.error, BrokenPipeError):
            click.echo(f"eyas: {self.unsaid} alerts were not printed", err=True)

    def _leave_out(self) -> None:
        """Count a line that nobody will read; the first is told, from a thread that may wait for its own reader."""
        self.unsaid += 1
        if self.unsaid == 1 and self.error is None:
            said = "eyas: nobody reads standard output; alerts are no longer printed until somebody does"
            threading.Thread(target=click.echo, args=(said,), kwargs={"err": True}, daemon=True).start()

    def _run(self) -> None:
        try:
            self._speak()
        except OSError as error:
            with self._lock:
                self.error = error
            self._failed()

    def _speak(self) -> None:
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        while True:
            self._rest = self._rest or self._next()
            left = self._left()
            if left == 0 or (not self._rest and left is not None):
                return
            poll.register(self._out, select.POLLOUT if self._rest else 0)
            ready = dict(poll.poll(left))
            if self._bell in ready:
                os.eventfd_read(self._bell)
            state = ready.get(self._out, 0)
            if state & select.POLLOUT:
                self._rest = self._rest[os.write(self._out, self._rest[:PIECE]) :]
            elif state:
                raise BrokenPipeError

    def _left(self) -> float | None:
        """Milliseconds until the end; nothing while it is not in sight."""
        return None if self._end is None else max(0.0, self._end - time.monotonic()) * 1000

    def _next(self) -> bytes:
        with self._lock:
            if not self._lines:
                return b""
            line = self._lines.popleft()
            self._size -= len(line)
            return line
