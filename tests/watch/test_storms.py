"""What whoever wants to hide does first: storms of processes, threads, files and events. Nothing of it goes unseen."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyas.watch import flood
from tests.live import Running

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
MARK = "--in-the-storm"
RULES = f"""
- rule: A program in the storm
  desc: Every program of these tests is told.
  condition: evt.type in (execve, execveat) and proc.args startswith "{MARK}"
  output: "%proc.args %proc.pcmdline"
  priority: NOTICE
- rule: A call in the storm
  desc: Told with what is known of the thread and the descriptor, long after they came to be.
  condition: evt.type in (dup, dup2, dup3) and fd.name endswith "/remembered"
  output: "%fd.name %fd.num"
  priority: NOTICE
"""


class Storm:
    """A sensor that watches while something storms."""

    def __init__(self, start: Callable[..., Running], folder: Path) -> None:
        rules, self._stats = folder / "rules.yaml", folder / "stats.json"
        rules.write_text(RULES)
        self.run = start("run", "-r", str(rules), "--json", "--stats", str(self._stats))
        self.run.says("watching")

    def over(self) -> tuple[dict[str, Any], Counter[tuple[Any, ...]]]:
        """End it: its figures, and how many alerts have which values. Every event is accounted for."""
        self.run.signal(signal.SIGINT)
        code, said = self.run.ends()
        assert code == 0, said
        told = json.loads(self._stats.read_text())
        known = told["known"]
        for name, account in told["ledger"].items():
            assert account["sent"] == account["read"], f"what was sent of {name} was read"
        assert sum(account["lost"] for account in told["ledger"].values()) == told["lost"]
        assert known["n_added_threads"] - known["n_removed_threads"] == known["n_threads"]
        return told, Counter(tuple(one["output_fields"].values())[1:] for one in self.run.alerts())


@pytest.fixture
def storm(start: Callable[..., Running], tmp_path: Path) -> Storm:
    return Storm(start, tmp_path)


def python(code: str) -> None:
    """Run a program of Python."""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_every_program_of_a_fork_bomb_is_seen(storm: Storm) -> None:
    depth = 9
    python(f"""
import os
name, children = "", []
for level in range({depth}):
    child = os.fork()
    name += "01"[child == 0]
    children = [*children, child] if child else []
program = os.fork()
if program == 0: os.execv("/bin/true", ["true", "{MARK}", name])
for child in [*children, program]: os.waitpid(child, 0)
""")
    told, messages = storm.over()
    seen = Counter(arguments for arguments, _ in messages.elements())
    assert seen == Counter(f"{MARK} {number:0{depth}b}" for number in range(2**depth))
    assert told["lost"] == 0


def test_threads_in_thousands_are_known_each(storm: Storm, tmp_path: Path) -> None:
    path = tmp_path / "remembered"
    python(f"""
import os, threading
descriptor = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY)
for _ in range(20):
    threads = [threading.Thread(target=lambda: os.dup2(descriptor, 99)) for _ in range(200)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
""")
    told, messages = storm.over()
    assert told["known"]["n_added_threads"] >= 4000
    assert messages == {(str(path), 99): 4000}


def test_a_hundred_thousand_open_files_are_remembered(storm: Storm, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    each = min(100_000, limit - 100)
    processes = -(-100_000 // each)
    first, last = tmp_path / "first" / "remembered", tmp_path / "last" / "remembered"
    for path in (first, last):
        path.parent.mkdir()
        path.touch()
    python(f"""
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
def files():
    first = os.open({str(first)!r}, os.O_RDONLY)
    for _ in range({each} - 2): os.open("/etc/hostname", os.O_RDONLY)
    last = os.open({str(last)!r}, os.O_RDONLY)
    os.write(ready[1], b".")
    os.read(go[0], 1)
    os.dup2(first, 0)
    os.dup2(last, 1)
    os._exit(0)
ready, go = os.pipe(), os.pipe()
for _ in range({processes}):
    if os.fork() == 0: files()
for _ in range({processes}): os.read(ready[0], 1)
os.write(go[1], b"." * {processes})
for _ in range({processes}): os.wait()
""")
    told, messages = storm.over()
    assert told["lost"] == 0
    assert messages == {(str(first), 0): processes, (str(last), 1): processes}


@pytest.mark.skipif(
    not os.access(LAST_PID, os.W_OK), reason="this kernel does not let us choose the next pid"
)
def test_a_pid_used_again_is_another_process(storm: Storm) -> None:
    parents = [f"parent-{number}" for number in range(50)]
    for parent in parents:
        # The shell forks, so that the program has a number of its own; each shell takes the number of the one before.
        LAST_PID.write_text("30000")
        subprocess.run(["sh", "-c", f"/bin/true {MARK} {parent}; true"], check=True)
    _, messages = storm.over()
    assert set(messages) == {(f"{MARK} {one}", f"sh -c /bin/true {MARK} {one}; true") for one in parents}


def test_every_program_is_seen_through_a_flood_and_every_event_has_its_account(machine: None) -> None:
    found = flood.measure(rate=0, seconds=3)
    assert found.execs_seen == found.execs > 0
    assert found.unaccounted == 0
    assert found.judged + found.lost >= found.offered > 100_000


def test_who_makes_noise_drowns_nobody(storm: Storm, tmp_path: Path) -> None:
    path = tmp_path / "remembered"
    path.touch()
    calls = 50_000
    python(f"""
import os
descriptor = os.open({str(path)!r}, os.O_RDONLY)
for _ in range({calls}): os.dup2(descriptor, 99)
""")
    python(f"import os; os.dup2(os.open({str(path)!r}, os.O_RDONLY), 98)")
    subprocess.run(["/bin/true", MARK, "after"], check=True)
    told, messages = storm.over()
    assert told["lost"] == 0
    assert messages[(str(path), 98)] == 1
    assert any(values[0] == f"{MARK} after" for values in messages)
    said = messages[(str(path), 99)]
    assert 4000 <= said < calls
    assert said + told["held"] == calls
