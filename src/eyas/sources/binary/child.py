"""Our side of the process of a plugin: requests, answers, and what its end or its silence means."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eyas.errors import PassingError, RunError
from eyas.sources.binary import frame

HOST = "eyas.sources.binary.host"
PACKAGE = Path(__file__).resolve().parents[3]
TIMEOUT = 60.0  # seconds that a plugin may take for one answer
PATIENCE = 300.0  # the same when it is asked for events: some wait for the next one
GRACE = 3.0  # seconds that it may take to end


class Child:
    """A process that hosts plugins; ends with the block it is used in."""

    def __init__(self, name: str, timeout: float | None = None) -> None:
        self.name, self._timeout = name, TIMEOUT if timeout is None else timeout
        path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        ends = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._ends = frame.Timed(*ends, self._process.pid)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Let it close its plugins and go; one that does not go is killed."""
        if self._process.stdin:
            self._process.stdin.close()
        if not self.wait(GRACE):
            self.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._ends.close()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; false when it goes on."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once, and what it has started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def call(self, op: str, **values: Any) -> tuple[dict[str, Any], bytes]:
        """Ask for something. PassingError when the plugin fails, RunError when its process is gone or had to be killed."""
        return next(self.calls(op, **values))

    def calls(
        self, op: str, timeout: float | None = None, **values: Any
    ) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Ask for something that has several answers, the last one without `more`; all of them have to be taken."""
        patience = self._timeout if timeout is None else timeout
        self._ends.until = time.monotonic() + patience
        try:
            frame.send(self._ends, {"op": op, **values})
            more = True
            while more:
                self._ends.until = time.monotonic() + patience
                header, body = frame.receive(self._ends)
                if "error" in header:
                    raise PassingError(f"plugin {self.name}: {header['error']}")
                more = bool(header.get("more"))
                yield header, body
        except frame.LateError:
            self.kill()
            raise RunError(
                f"plugin {self.name}: no answer to '{op}' in {patience:g} s; its process was killed"
            ) from None
        except (OSError, ValueError, frame.FrameError):
            raise RunError(f"plugin {self.name}: {self._end()}") from None

    def _end(self) -> str:
        if not self.wait(GRACE):
            self.kill()
            return "its process says what makes no sense, and was killed"
        code = self._process.returncode
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"
