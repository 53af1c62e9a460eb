"""What the sensor notices about itself, beat after beat."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eyas.watch import Wake, Wakes
from eyas.watch.pulse import MOVED, PAUSED, STEPPED, TRACED, UNHOOKED, Pulse


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A process with one hook, in a cgroup, that nobody traces."""
    (tmp_path / "fdinfo").mkdir()
    (tmp_path / "fdinfo/7").write_text("pos:\t0\nlink_type:\traw_tracepoint\nlink_id:\t3\n")
    (tmp_path / "fdinfo/8").write_text("pos:\t0\n")
    (tmp_path / "cgroup").write_text("0::/system.slice/eyas.service\n")
    (tmp_path / "status").write_text("Name:\teyas\nTracerPid:\t0\n")
    return tmp_path


@pytest.fixture
def pulse(proc: Path) -> Iterator[Pulse]:
    """A pulse that beats only when a test says so."""
    made = Pulse(Wakes(), "host", proc, beat=3600)
    made.last = 0.0
    yield made
    made.close()


def rules(pulse: Pulse, now: float) -> list[str]:
    return [rule for rule, _ in pulse.look(now)]


def test_nothing_is_said_while_all_is_well(pulse) -> None:
    assert rules(pulse, 3600) == []
    assert rules(pulse, 7201) == []


def test_a_pause_is_noticed_once(pulse) -> None:
    assert rules(pulse, 3660) == [PAUSED]
    assert rules(pulse, 7260) == []


def test_a_tracer_is_noticed_once_and_again_when_another_comes(pulse, proc) -> None:
    (proc / "status").write_text("TracerPid:\t99\n")
    assert rules(pulse, 3600) == [TRACED]
    assert rules(pulse, 7200) == []
    (proc / "status").write_text("TracerPid:\t100\n")
    assert rules(pulse, 10800) == [TRACED]


@pytest.mark.parametrize(("step", "way"), [(3600.0, "forward by 3600.0 s"), (-90.0, "back by 90.0 s")])
def test_a_clock_that_was_set_is_told_once(pulse, step: float, way: str) -> None:
    pulse.booted -= step
    [(rule, message)] = pulse.look(3600)
    assert rule == STEPPED
    assert way in message
    assert rules(pulse, 7200) == []


def test_lost_hooks_are_noticed(pulse, proc) -> None:
    (proc / "fdinfo/7").unlink()
    assert rules(pulse, 3600) == [UNHOOKED]
    assert rules(pulse, 7200) == []


def test_another_cgroup_is_noticed(pulse, proc) -> None:
    (proc / "cgroup").write_text("0::/jail\n")
    assert rules(pulse, 3600) == [MOVED]


def test_what_was_noticed_wakes_the_watch(proc) -> None:
    with Wakes() as wakes:
        pulse = Pulse(wakes, "host", proc, beat=0.01)
        (proc / "cgroup").write_text("0::/jail\n")
        assert wakes.wait() == {Wake.NOTICED}
        noticed = pulse.take()
        pulse.close()
    assert [one.rule for one in noticed] == [MOVED]
    assert noticed[0].eyas["attack"]


def test_a_link_that_this_process_holds_is_seen_in_proc(start, tmp_path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- rule: r\n  desc: d\n  condition: evt.type = mkdir\n  output: o\n  priority: INFO\n")
    run = start("run", "-r", str(path))
    run.says("watching")
    folder = Path(f"/proc/{run.process.pid}/fdinfo")
    assert any("link_id:" in info.read_text() for info in folder.iterdir())
