"""Rights that the sensor gives up once it has what it needs, and how it stays alive on a busy machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eyas import _core

# What watching needs, and why.
NEEDED = (
    "BPF",  # load programs, also when rules change
    "PERFMON",  # attach them to events
    "SYS_RESOURCE",  # memory limits before Linux 5.11
    "SYS_PTRACE",  # look at other processes in /proc
    "DAC_READ_SEARCH",  # read what runtimes and containers keep
    "DAC_OVERRIDE",  # write alerts where the configuration says
    "KILL",  # actions that end a process
    "NET_BIND_SERVICE",  # listen on a port below 1024
)
# Before Linux 5.8 there was one capability for all that.
OLD = "SYS_ADMIN"

# Ahead of a fork bomb, behind the kernel.
NICENESS = -5
OOM_SCORE = -900


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is given up; programs that alerts are handed to keep what they would have without Eyas."""

    capabilities: bool = True
    calls: bool = True
    runs_programs: bool = False


def before(wishes: Wishes, said: Callable[[str], None]) -> None:
    """Give up what watching never needs. Threads that are started later have no more than is left here."""
    _stay_alive()
    with _tolerant(said):
        if wishes.calls and not wishes.runs_programs:
            # The filter needs either this or a capability that goes.
            _core.no_new_rights()
            _core.deny_calls(probing=False)
    with _tolerant(said):
        if wishes.capabilities:
            _core.keep_capabilities(list(_wanted()), children=not wishes.runs_programs)


def after(wishes: Wishes, said: Callable[[str], None]) -> None:
    """Give up what only the thread that watches needs: it has been started."""
    with _tolerant(said):
        if wishes.calls and not wishes.runs_programs:
            _core.deny_calls(probing=True)


def _wanted() -> tuple[str, ...]:
    return NEEDED if _may_probe() else (*NEEDED, OLD)


def _may_probe() -> bool:
    """Whether this process has `CAP_BPF`, number 39."""
    rows = Path("/proc/self/status").read_text().splitlines()
    permitted = next(row.split()[1] for row in rows if row.startswith("CapPrm:"))
    return bool(int(permitted, 16) >> 39 & 1)


def _stay_alive() -> None:
    """Be run before others and killed after them, where that is allowed."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, min(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


@contextmanager
def _tolerant(said: Callable[[str], None]) -> Iterator[None]:
    """What cannot be given up is said, and watching goes on."""
    try:
        yield
    except _core.CoreError as error:
        said(str(error))
