"""What watching costs: rounds of work without and with the sensor take turns, so that both meet the same machine."""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from eyas import _core
from eyas.errors import RunError
from eyas.watch.agent import watching

# A loop in a process of its own; it prints nanoseconds of processor time for one turn.
_LOOP = """
import os, time
path = b"/etc/hostname"
start = time.thread_time_ns()
for _ in range({count}):
    {body}
print((time.thread_time_ns() - start) / {count})
"""
# Seconds until a server must listen.
PATIENCE = 10
_RATE = re.compile(r"([\d.]+) requests per second")

Work = Callable[[], float]


@dataclass(slots=True)
class Used:
    """What the sensor itself used: processor time of a round, the most memory, and events of all rounds."""

    seconds: float = 0.0
    memory_mb: float = 0.0
    events: int = 0
    lost: int = 0


@dataclass(slots=True)
class Rounds:
    """Figures of one kind of work."""

    unit: str
    without: list[float] = field(default_factory=list)
    hooked: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float | str]:
        """Medians, with an empty program too where it was measured, and the ratio of watching to nothing."""
        before, after = statistics.median(self.without), statistics.median(self.watched)
        hook = {"empty": statistics.median(self.hooked)} if self.hooked else {}
        return {
            "unit": self.unit,
            "without": before,
            **hook,
            "with": after,
            "ratio": after / before if before else 0.0,
        }


def loops(count: int) -> Iterator[tuple[str, str, Work]]:
    """System calls in a loop: name, unit, and the work."""
    yield "null_call", "ns", lambda: _loop("os.getppid()", count)
    yield "open_close", "ns", lambda: _loop("os.close(os.open(path, os.O_RDONLY))", count)


def works(count: int) -> Iterator[tuple[str, str, Work]]:
    """The kinds of work that can be done here: name, unit, and the work."""
    yield from loops(count)
    if shutil.which("redis-server") and shutil.which("redis-benchmark"):
        yield "redis_set", "requests/s", _redis
    if shutil.which("nginx") and shutil.which("wrk"):
        yield "nginx", "requests/s", _nginx


def missing() -> tuple[str, ...]:
    """Programs whose work is left out because they are not installed."""
    return tuple(
        name for name in ("redis-server", "redis-benchmark", "nginx", "wrk") if not shutil.which(name)
    )


def measure(rules: Sequence[Path], rounds: int, count: int) -> tuple[dict[str, Rounds], Used]:
    """Let rounds without and with the sensor take turns; the loops run with an empty program too."""
    figures: dict[str, Rounds] = {}
    used = Used()
    for _ in range(rounds):
        for name, unit, work in works(count):
            figures.setdefault(name, Rounds(unit)).without.append(work())
        with closing(_core.EmptyHook()):
            for name, _unit, work in loops(count):
                figures[name].hooked.append(work())
        with watching(rules) as agent:
            for name, _unit, work in works(count):
                figures[name].watched.append(work())
            used.seconds += agent.seconds() / rounds
            used.memory_mb = max(used.memory_mb, agent.peak_mb())
        used.events += agent.told["events"]
        used.lost += agent.told["lost"]
    return figures, used


def _loop(body: str, count: int) -> float:
    code = _LOOP.format(body=body, count=count)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _listening(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), PATIENCE):
            return
        time.sleep(0.01)
    raise RunError(f"nobody listens on port {port}")


def _redis() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/redis.sock"
        server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            next(line for line in server.stdout or () if "ready to accept" in line.lower())
            test = ["redis-benchmark", "-s", path, "-t", "set", "-n", "100000", "-q"]
            said = subprocess.run(test, check=True, capture_output=True, text=True).stdout
            return float(_RATE.findall(said)[-1])
        finally:
            server.kill()
            server.communicate()


def _nginx() -> float:
    with tempfile.TemporaryDirectory() as folder:
        # Its workers are not root.
        Path(folder).chmod(0o755)
        (Path(folder) / "index.html").write_text("x" * 612)
        settings = Path(folder) / "nginx.conf"
        settings.write_text(
            f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:18080; root {folder}; }} }}\n"
        )
        server = subprocess.Popen(["nginx", "-c", str(settings), "-p", folder], stderr=subprocess.DEVNULL)
        try:
            _listening(18080)
            test = ["wrk", "-t1", "-c16", "-d3s", "http://127.0.0.1:18080/"]
            said = subprocess.run(test, check=True, capture_output=True, text=True).stdout
            return float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[-1])
        finally:
            server.terminate()
            server.wait()
