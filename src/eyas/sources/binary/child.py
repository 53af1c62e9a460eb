"""Our side of the process of a plugin: requests, answers, and what its end means."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from eyas.errors import PassingError
from eyas.sources.binary import frame

HOST = "eyas.sources.binary.host"
PACKAGE = Path(__file__).resolve().parents[3]


class Child:
    """A process that hosts plugins; ends with the block it is used in."""

    def __init__(self, name: str) -> None:
        self.name = name
        path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", HOST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def call(self, op: str, **values: Any) -> tuple[dict[str, Any], bytes]:
        """Ask for something; PassingError when the plugin fails, or has taken its process down."""
        assert self._process.stdin and self._process.stdout
        try:
            frame.send(self._process.stdin, {"op": op, **values})
            header, body = frame.receive(self._process.stdout)
        except (OSError, ValueError, frame.FrameError):
            raise PassingError(f"plugin {self.name}: {self._end()}") from None
        if "error" in header:
            raise PassingError(f"plugin {self.name}: {header['error']}")
        return header, body

    def _end(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return "its process does not answer"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"
