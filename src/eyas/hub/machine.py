"""Figures of this machine and this process that Falco's metrics hold, read from /proc and the cgroup."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NUMBER = re.compile(r"^(\w+):?\s+(\d+)", re.MULTILINE)
# Where a cgroup says how much memory it uses: what Falco's variable names, version 2, version 1.
_CGROUPS = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


@dataclass(frozen=True, slots=True)
class Load:
    """Processor time of the machine, in ticks since it started."""

    busy: int
    total: int


def load(proc: Path = Path("/proc")) -> Load:
    """What all processors did so far."""
    ticks = [int(word) for word in _text(proc / "stat").partition("\n")[0].split()[1:9]]
    idle = sum(ticks[3:5])
    return Load(sum(ticks) - idle, sum(ticks))


def ratio(before: Load, now: Load) -> float:
    """How busy the machine was between two moments, 0 to 1."""
    return round((now.busy - before.busy) / max(1, now.total - before.total), 6)


def gauges(proc: Path = Path("/proc")) -> Iterator[tuple[str, int]]:
    """Name behind `falcosecurity_` and value; what this kernel does not tell is left out."""
    stat, memory = _numbers(proc / "stat"), _numbers(proc / "meminfo")
    own = _numbers(proc / "self/smaps_rollup")
    if "btime" in stat:
        yield "falco_host_boot_timestamp_nanoseconds", stat["btime"] * 1_000_000_000
    if "procs_running" in stat:
        yield "falco_host_procs_running_total", stat["procs_running"]
    if "MemTotal" in memory:
        free = sum(memory.get(name, 0) for name in ("MemFree", "Buffers", "Cached", "SReclaimable"))
        yield "falco_host_memory_used_bytes", max(0, memory["MemTotal"] - free) * 1024
    if "Pss" in own:
        yield "falco_memory_pss_bytes", own["Pss"] * 1024
    if opened := _text(proc / "sys/fs/file-nr").split():
        yield "falco_host_open_fds_total", int(opened[0])
    if (used := _cgroup()) is not None:
        yield "falco_container_memory_used_bytes", used


def _cgroup() -> int | None:
    told = os.environ.get("FALCO_CGROUP_MEM_PATH")
    texts = (_text(Path(path)).strip() for path in ([told] if told else _CGROUPS))
    return next((int(text) for text in texts if text.isdecimal()), None)


def _numbers(path: Path) -> dict[str, int]:
    return {name: int(number) for name, number in _NUMBER.findall(_text(path))}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
