"""Figures of a run at an interval, as Falco's internal alert and as lines of a file; names are Falco's."""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from eyas import alert as alerts
from eyas.alert import Alert
from eyas.hub import machine
from eyas.hub.sensor import Ask, Sensor, digests

RULE = "Falco internal: metrics snapshot"
_OTHER = re.compile(r"[^A-Za-z0-9_:]+")

Value = int | float | str
Figures = Iterator[tuple[str, Value]]

log = structlog.get_logger("eyas.metrics")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the section `metrics` asks for."""

    interval: float
    alert: bool = True
    file: Path | None = None
    rules: bool = True
    resources: bool = True
    state: bool = True
    kernel: bool = True
    megabytes: bool = True
    zeros: bool = False


class Snapshots:
    """Takes a snapshot at each interval, in a thread of its own, until it is closed."""

    def __init__(self, wanted: Wanted, ask: Ask, take: Callable[[Alert], None], version: str) -> None:
        self._wanted = wanted
        self._ask = ask
        self._take = take
        self._version = version
        self._start = self._last = time.time()
        self._events = self._lost = 0
        self._load = machine.load()
        self._samples = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eyas-metrics", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._wanted.interval):
            self.sample()

    def sample(self) -> None:
        """Take one snapshot."""
        now = time.time_ns()
        fields = {name: value for name, value in self._figures(now) if value != 0 or self._wanted.zeros}
        self._samples += 1
        if self._wanted.file is not None:
            self._write(self._wanted.file, fields)
        if self._wanted.alert:
            self._take(_alert(fields, now))

    def _write(self, path: Path, fields: dict[str, Value]) -> None:
        try:
            with path.open("a") as file:
                file.write(json.dumps({"sample": self._samples, "output_fields": fields}) + "\n")
        except OSError as error:
            log.warning(
                "figures are not written", file=str(path), reason=(error.strerror or str(error)).lower()
            )

    def _figures(self, ns: int) -> Figures:
        now, sensor = ns / 1e9, self._ask()
        since, self._last = max(0.001, now - self._last), now
        yield "evt.time", ns
        yield "evt.hostname", alerts.hostname()
        yield "evt.source", "syscall"
        yield from self._program(now, sensor)
        yield from self._seen(sensor, since)
        if self._wanted.state:
            for name, count in sensor.known.items():
                yield f"falco.{name}", count
        if self._wanted.rules:
            yield from _rules(sensor)
        if self._wanted.resources:
            yield from self._resources(now)

    def _program(self, now: float, sensor: Sensor) -> Figures:
        yield "falco.version", self._version
        yield "falco.start_ts", int(self._start * 1e9)
        yield "falco.reload_ts", int((sensor.reloaded or self._start) * 1e9)
        yield "falco.duration_sec", int(now - self._start)
        yield "falco.kernel_release", platform.release()
        yield "falco.host_num_cpus", os.cpu_count() or 1
        yield "scap.engine_name", sensor.engine
        for kind, files in (("rules", sensor.files), ("config", sensor.config_files)):
            for name, digest in digests(files):
                yield f"falco.sha256_{kind}_file.{_OTHER.sub('_', name).removesuffix('_')}", digest

    def _seen(self, sensor: Sensor, since: float) -> Figures:
        """Events and losses, and what they grew by since the last snapshot."""
        events, lost = sensor.events, sensor.lost
        yield "falco.num_evts", events
        yield "falco.num_evts_prev", self._events
        yield "falco.evts_rate_sec", round((events - self._events) / since, 1)
        if self._wanted.kernel:
            yield "scap.n_evts", events
            yield "scap.n_evts_prev", self._events
            yield "scap.evts_rate_sec", round((events - self._events) / since, 1)
            yield "scap.n_drops", lost
            yield "scap.n_drops_prev", self._lost
            yield "scap.evts_drop_rate_sec", round((lost - self._lost) / since, 1)
            yield "scap.n_drops_perc", round(100 * lost / max(1, events + lost), 1)
            for name, count in sensor.lost_by_class.items():
                yield f"scap.n_drops_buffer_{name}", count
        self._events, self._lost = events, lost

    def _resources(self, now: float) -> Figures:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        before, self._load = self._load, machine.load()
        up = max(0.001, now - self._start)
        yield "falco.cpu_usage_perc", round(100 * (usage.ru_utime + usage.ru_stime) / up, 1)
        yield "falco.host_cpu_usage_perc", round(100 * machine.ratio(before, self._load), 1)
        pages, size = Path("/proc/self/statm").read_text().split(), os.sysconf("SC_PAGE_SIZE")
        yield self._memory("falco_memory_vsz_bytes", int(pages[0]) * size)
        yield self._memory("falco_memory_rss_bytes", int(pages[1]) * size)
        for name, value in machine.gauges():
            yield self._memory(name, value) if name.endswith("_bytes") else (_plain(name), value)

    def _memory(self, name: str, value: int) -> tuple[str, Value]:
        base = name.replace("falco_", "falco.", 1).removesuffix("_bytes")
        if self._wanted.megabytes:
            return f"{base}_mb", round(value / (1 << 20), 1)
        return (f"{base}_bytes", value) if "container" in base else (f"{base}_kb", value >> 10)


def _rules(sensor: Sensor) -> Figures:
    yield "falco.rules.matches_total", sum(sensor.by_rule.values())
    for name, count in sensor.by_rule.items():
        yield f"falco.rules.{_OTHER.sub('_', name).removesuffix('_')}", count


def _plain(name: str) -> str:
    """`falco_host_open_fds_total` as a snapshot names it."""
    short = name.replace("_timestamp_nanoseconds", "_ts").removesuffix("_total")
    return short.replace("falco_", "falco.", 1)


def _alert(fields: dict[str, Value], now: int) -> Alert:
    shown = " ".join(f"{name}={value}" for name, value in fields.items())
    return Alert(
        rule=RULE,
        priority="Informational",
        source="internal",
        tags=(),
        ts=now,
        message=f"Falco metrics snapshot ({shown})",
        fields=fields,
        hostname=alerts.hostname(),
        eyas={"id": alerts.identity(RULE, 0, now), "attack": []},
    )
