"""A sensor in a process of its own: what it uses while others work, and what it tells at its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas.errors import RunError

# Seconds without work after which it counts as started, and how long that is waited for.
REST = 0.3
PATIENCE = 10.0


@dataclass(slots=True)
class Agent:
    """A sensor that watches and has done what there is to do at a start; what it told is there when it has ended."""

    pid: int
    started: float
    told: dict[str, Any] = field(default_factory=dict)

    def seconds(self) -> float:
        """Processor time since it had started."""
        return _processor_time(self.pid) - self.started

    def resident_mb(self) -> float:
        """Memory that it holds now."""
        return self._memory("VmRSS")

    def peak_mb(self) -> float:
        """The most memory that it has held."""
        return self._memory("VmHWM")

    def _memory(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def watching(rules: Sequence[Path], alerts: Path = Path(os.devnull)) -> Iterator[Agent]:
    """Watch with some rules, or the shipped ones; alerts go to a file as JSON. RunError when it does not start."""
    with tempfile.TemporaryDirectory() as folder, alerts.open("wb") as out:
        stats = Path(folder) / "stats.json"
        chosen = [part for path in rules for part in ("-r", str(path))]
        process = subprocess.Popen(
            [sys.executable, "-m", "eyas", "run", *chosen, "--json", "--stats", str(stats)],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _await(process)
            _settle(process.pid)
            agent = Agent(process.pid, _processor_time(process.pid))
            yield agent
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
        agent.told = json.loads(stats.read_text())


def _await(process: subprocess.Popen[str]) -> None:
    said = []
    for line in process.stderr or ():
        said.append(line.strip())
        if "watching" in line:
            return
    raise RunError(f"the sensor did not start: {' '.join(said)}", "see `eyas doctor`")


def _settle(pid: int) -> None:
    """Wait until it rests, for a while at most."""
    used, end = -1.0, time.monotonic() + PATIENCE
    while used < (now := _processor_time(pid)) and time.monotonic() < end:
        used = now
        time.sleep(REST)


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
