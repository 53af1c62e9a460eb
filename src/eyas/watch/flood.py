"""A flood of events: what arrives through it, what of it is lost and counted, and how much memory it takes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eyas.errors import RunError
from eyas.watch.agent import Agent, watching

# What no program does by itself: the second argument of the programs that must be seen.
MARK = "--seen-through-the-flood"
RULES = f"""
- rule: A program runs through the flood
  desc: One of the programs that the measurement starts.
  condition: evt.type in (execve, execveat) and proc.args contains "{MARK}"
  output: "%proc.cmdline"
  priority: NOTICE
- rule: A descriptor of a flood
  desc: It needs every event of the flood and matches none.
  condition: evt.type in (dup, dup2, dup3, close) and fd.name = "/no/such/file"
  output: "%fd.name"
  priority: NOTICE
"""
# Offers events at a rate until a time is over, and prints how many.
_FLOODER = """
import os, time
start, made = time.monotonic(), 0
while (passed := time.monotonic() - start) < {seconds}:
    if made > {rate} * passed:
        time.sleep(0.001)
        continue
    for _ in range(500):
        os.close(os.dup(0))
    made += 1000
print(made)
"""
PROGRAM = "/bin/true"
# Seconds from one program to the next.
PAUSE = 0.01
# Seconds until the sensor must have told of a program.
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Flood:
    """What was offered, and what became of it."""

    offered: int  # events
    rate: float  # events each second
    judged: int
    lost: int
    unaccounted: int  # sent by the kernel side, but neither read nor counted as lost
    execs: int
    execs_seen: int
    delay_p50_ms: float  # from the system call to the alert on stdout
    delay_p99_ms: float
    memory_first_mb: float
    memory_last_mb: float
    agent_seconds: float


def measure(rate: int, seconds: float, rules: Sequence[Path] = ()) -> Flood:
    """Offer so many events each second (0: as many as can be made) and start programs all the while. Needs root."""
    with tempfile.TemporaryDirectory() as folder:
        own, alerts = Path(folder) / "rules.yaml", Path(folder) / "alerts.json"
        own.write_text(RULES)
        with watching([*rules, own], alerts) as agent:
            _settled(alerts)
            with _flooding(rate, seconds) as flooder:
                execs, memory = _programs(flooder, agent)
                offered = int(flooder.stdout.read()) if flooder.stdout else 0
            spent = agent.seconds()
        delays = sorted(_delays(alerts.read_text().splitlines()[1:]))
    told = agent.told
    return Flood(
        offered=offered,
        rate=offered / seconds,
        judged=told["events"],
        lost=told["lost"],
        unaccounted=sum(one["sent"] - one["read"] for one in told["ledger"].values())
        - told["unknown_events"],
        execs=execs,
        execs_seen=len(delays),
        delay_p50_ms=_percentile(delays, 50),
        delay_p99_ms=_percentile(delays, 99),
        memory_first_mb=memory[len(memory) // 10],
        memory_last_mb=memory[-1],
        agent_seconds=spent,
    )


def _settled(alerts: Path) -> None:
    """Wait for the first alert, which comes when whoever takes alerts has started too. RunError when none comes."""
    subprocess.run([PROGRAM, MARK], check=True)
    end = time.monotonic() + PATIENCE
    while not alerts.stat().st_size:
        if time.monotonic() > end:
            raise RunError(f"no alert came within {PATIENCE} s")
        time.sleep(PAUSE)


@contextmanager
def _flooding(rate: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    code = _FLOODER.format(rate=rate or sys.maxsize, seconds=seconds)
    flooder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        yield flooder
    finally:
        flooder.kill()
        flooder.wait()


def _programs(flooder: subprocess.Popen[str], agent: Agent) -> tuple[int, list[float]]:
    """Start programs until the flood ends: how many, and the sensor's memory meanwhile."""
    count, memory = 0, []
    while flooder.poll() is None:
        subprocess.run([PROGRAM, MARK], check=True)
        count += 1
        memory.append(agent.resident_mb())
        time.sleep(PAUSE)
    return count, memory


def _delays(lines: Iterable[str]) -> Iterator[float]:
    """Milliseconds from system call to standard output, of each program that was seen."""
    for line in lines:
        alert = json.loads(line)
        if alert["rule"] == "A program runs through the flood":
            clocks = alert["eyas"]["clocks"]
            yield (clocks["written"] - clocks["kernel"]) / 1e6


def _percentile(values: Sequence[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else math.nan
