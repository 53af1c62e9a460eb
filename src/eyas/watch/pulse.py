"""Notices what no rule can see: that the sensor did not run, that somebody traces it, that its programs are gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from eyas.alert import Alert
from eyas.watch.notice import notice
from eyas.watch.wakes import Wake, Wakes

# Seconds between beats, and how late one may come.
BEAT = 2.0
LATE = 5.0
# Seconds by which the clock of the machine must jump to be told.
STEP = 1.0

PAUSED, TRACED, UNHOOKED, MOVED, STEPPED = (
    "Sensor did not run",
    "Sensor is being traced",
    "Sensor lost its hooks",
    "Sensor moved to another cgroup",
    "Clock of the machine was set",
)


class Pulse:
    """Beats in a thread of its own; `take` gives what it noticed, `Wake.NOTICED` tells that there is something."""

    def __init__(self, wakes: Wakes, host: str, proc: Path = Path("/proc/self"), beat: float = BEAT) -> None:
        self._wakes = wakes
        self._host = host
        self._proc = proc
        self._beat = beat
        self._noticed: list[Alert] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.last = time.monotonic()  # of the beat before
        self._cgroup = _read(proc / "cgroup")
        self._hooked = self._hooks()
        self._tracer = "0"
        self.booted = _booted()
        threading.Thread(target=self._run, name="eyas-pulse", daemon=True).start()

    def take(self) -> list[Alert]:
        """What was noticed since the last call."""
        with self._lock:
            noticed, self._noticed = self._noticed, []
        return noticed

    def close(self) -> None:
        """Stop beating."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._beat):
            found = [notice(rule, message, self._host) for rule, message in self.look(time.monotonic())]
            if found:
                with self._lock:
                    self._noticed += found
                self._wakes.post(Wake.NOTICED)

    def look(self, now: float) -> Iterator[tuple[str, str]]:
        """What is not as it was at the last beat."""
        late, self.last = now - self.last - self._beat, now
        if late > LATE:
            yield PAUSED, f"The sensor did not run for {late:.0f} s: it was frozen, stopped or starved"
        tracer, before = self._traced_by(), self._tracer
        self._tracer = tracer
        if tracer not in ("0", before):
            yield TRACED, f"Process {tracer} traces the sensor"
        hooked, self._hooked = self._hooks(), self._hooked
        if self._hooked and not hooked:
            yield UNHOOKED, "The sensor holds no hook of the kernel any more: it sees nothing"
        self._hooked = hooked
        cgroup, before = _read(self._proc / "cgroup"), self._cgroup
        self._cgroup = cgroup
        if cgroup != before:
            yield MOVED, "The sensor was moved to another cgroup, which can freeze or starve it"
        step, self.booted = _booted() - self.booted, _booted()
        if abs(step) > STEP:
            way = "forward" if step > 0 else "back"
            yield STEPPED, f"The clock of this machine was set {way} by {abs(step):.1f} s; events follow it"

    def _traced_by(self) -> str:
        rows = (row.split() for row in _read(self._proc / "status").splitlines())
        return next((row[1] for row in rows if row[:1] == ["TracerPid:"] and len(row) > 1), "0")

    def _hooks(self) -> int:
        """Links between programs and events that this process holds."""
        try:
            return sum("link_id:" in _read(info) for info in (self._proc / "fdinfo").iterdir())
        except OSError:
            return 0


def _booted() -> float:
    """When the machine was started, in seconds of the epoch by its clock."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
