"""A machine that can be watched, or a reason why this one cannot."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

PATIENCE = 60
SOURCES = Path(__file__).resolve().parents[1] / "src"


@pytest.fixture(scope="session")
def machine() -> None:
    """Skip, aloud, where the kernel cannot be watched."""
    from eyas import _core

    refused = json.loads(_core.doctor())["refused"]
    if refused:
        pytest.skip(f"this machine cannot be watched: {refused}")


class Running:
    """A command under way that runs `eyas`."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
        )
        self.out, self.err = _lines(self.process.stdout), _lines(self.process.stderr)

    def says(self, *words: str) -> str:
        """The next line on stderr that holds one of these words."""
        return next(line for line in self._read(self.err) if any(word in line for word in words))

    def alert(self, rule: str) -> dict[str, Any]:
        """The next alert of a rule."""
        return next(one for one in self.alerts() if one["rule"] == rule)

    def alerts(self) -> Iterator[dict[str, Any]]:
        """The alerts that were not taken yet, to the end."""
        return map(json.loads, self._read(self.out))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self) -> tuple[int, str]:
        """Exit code and what is left on stderr."""
        code = self.process.wait(PATIENCE)
        return code, "".join(self._read(self.err))

    def _read(self, lines: queue.Queue[str]) -> Iterator[str]:
        while line := lines.get(timeout=PATIENCE):
            yield line


def _lines(stream: IO[str] | None) -> queue.Queue[str]:
    """Lines of a stream as they come; an empty one at its end."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in stream or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    return lines


@pytest.fixture
def start(machine: None) -> Iterator[Callable[..., Running]]:
    """Start `eyas` commands; those still running at the end are stopped."""
    started: list[Running] = []

    def begin(*args: str) -> Running:
        started.append(Running(sys.executable, "-m", "eyas", *args))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.signal(signal.SIGKILL)
        one.process.wait(PATIENCE)
