"""Whoever works against the sensor is told; what the sensor does not need it gives up."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import signal
import struct
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

RULE = """
- rule: {name}
  desc: Something happens to a file of this test.
  condition: {condition}
  output: "%evt.type"
  priority: WARNING
"""
# Numbers of capabilities.
BPF, SYS_ADMIN, SYS_MODULE = 39, 21, 16
SYS_BPF = {"x86_64": 321, "aarch64": 280}
PROG_DETACH, PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID, LINK_GET_FD_BY_ID, LINK_DETACH = 9, 11, 13, 30, 34


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(
        RULE.format(name="made", condition=f"evt.type = mkdir and evt.arg.path startswith {tmp_path}")
    )
    return path


def status(task: Path) -> dict[str, str]:
    rows = (line.partition(":") for line in (task / "status").read_text().splitlines())
    return {name: value.strip() for name, _, value in rows}


def has(status: dict[str, str], which: str, number: int) -> bool:
    return bool(int(status[which], 16) >> number & 1)


def test_rights_that_watching_does_not_need_are_given_up_in_every_thread(start, rules) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    tasks = {
        (task / "comm").read_text().strip(): status(task)
        for task in Path(f"/proc/{run.process.pid}/task").iterdir()
    }
    assert "eyas-watch" in tasks
    for name, found in tasks.items():
        assert has(found, "CapEff", BPF), name
        assert not has(found, "CapEff", SYS_ADMIN), name
        assert not has(found, "CapBnd", SYS_MODULE), name
        assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2"), name


def test_other_calls_are_hooked_when_rules_change_later(start, rules, tmp_path) -> None:
    run = start("run", "-r", str(rules), "--json", "-o", "watch_config_files=false")
    run.says("watching")
    condition = f"evt.type = symlink and evt.arg.linkpath startswith {tmp_path}"
    rules.write_text(RULE.format(name="linked", condition=condition))
    run.signal(signal.SIGHUP)
    run.says("reloaded")
    (tmp_path / "link").symlink_to("anywhere")
    run.alert("linked")


def test_a_program_for_alerts_keeps_the_rights_it_would_have(start, rules, tmp_path) -> None:
    said = tmp_path / "said"
    os.mkfifo(said)
    program = f"cat /proc/self/status > {said}"
    run = start(
        "run",
        "-r",
        str(rules),
        "-o",
        "program_output.enabled=true",
        "-o",
        f"program_output.program={program}",
    )
    run.says("watching")
    (tmp_path / "folder").mkdir()
    rows = dict(line.split(":\t", 1) for line in said.read_text().splitlines() if ":\t" in line)
    mine = status(Path("/proc/self"))
    assert (rows["CapEff"], rows["Seccomp"]) == (mine["CapEff"], mine["Seccomp"])


def test_hardening_can_be_switched_off(start, rules) -> None:
    off = ("-o", "hardening.capabilities=false", "-o", "hardening.seccomp=false")
    run = start("run", "-r", str(rules), *off)
    run.says("watching")
    found, mine = status(Path(f"/proc/{run.process.pid}")), status(Path("/proc/self"))
    assert (found["CapEff"], found["Seccomp"]) == (mine["CapEff"], mine["Seccomp"])


def test_who_tells_the_sensor_to_end_is_told_before_it_ends(start, rules) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    end = f"import os, signal; os.kill({run.process.pid}, signal.SIGTERM)"
    subprocess.run([sys.executable, "-c", end], check=True)
    assert run.alert("Sensor told to end")["output_fields"]["evt.arg.sig"] == "SIGTERM"
    assert run.ends()[0] == 0


def test_who_opens_the_memory_of_the_sensor_for_writing_is_told(start, rules) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    os.close(os.open(f"/proc/{run.process.pid}/mem", os.O_RDWR))
    assert run.alert("Sensor traced")["output_fields"]["evt.type"] == "openat"


def test_who_traces_the_sensor_is_told(start, rules) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    # PTRACE_SEIZE lets it run on; the end of the program lets it go.
    trace = f"import ctypes; ctypes.CDLL(None).ptrace(0x4206, {run.process.pid}, None, None)"
    subprocess.run([sys.executable, "-c", trace], check=True)
    assert run.alert("Sensor traced")["output_fields"]["evt.type"] == "ptrace"


def test_who_freezes_the_cgroup_of_the_sensor_is_told_when_it_thaws(start, rules, monkeypatch) -> None:
    folder = Path("/sys/fs/cgroup/freezer") / f"eyas-{uuid.uuid4().hex[:8]}"
    state, frozen, thawed = folder / "freezer.state", "FROZEN", "THAWED"
    if not folder.parent.is_dir():
        folder = Path("/sys/fs/cgroup") / folder.name
        state, frozen, thawed = folder / "cgroup.freeze", "1", "0"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    home = Path("/sys/fs/cgroup/freezer/cgroup.procs")
    try:
        (folder / "cgroup.procs").write_text(str(os.getpid()))
        try:
            run = start("run", "-r", str(rules), "--json")
        finally:
            (home if home.exists() else folder.parent / "cgroup.procs").write_text(str(os.getpid()))
        run.says("watching")
        state.write_text(frozen)
        state.write_text(thawed)
        assert run.alert("Sensor starved")["output_fields"]["fd.name"] == str(state)
        run.signal(signal.SIGINT)
        run.ends()
    finally:
        folder.rmdir()


def test_who_opens_programs_of_the_kernel_is_told(start, rules) -> None:
    number = SYS_BPF.get(platform.machine())
    if number is None:
        pytest.skip("the number of bpf() is not known for this machine")
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    bpf = ctypes.CDLL(None, use_errno=True).syscall
    attr = ctypes.create_string_buffer(struct.pack("III", 0, 0, 0), 128)
    assert bpf(number, PROG_GET_NEXT_ID, attr, 128) == 0
    newest = struct.unpack_from("II", attr)[1]
    attr = ctypes.create_string_buffer(struct.pack("III", newest, 0, 0), 128)
    descriptor = bpf(number, PROG_GET_FD_BY_ID, attr, 128)
    assert descriptor >= 0
    os.close(descriptor)
    found = run.alert("Kernel programs of others opened")["output_fields"]
    assert found["evt.arg.cmd"] == "BPF_PROG_GET_FD_BY_ID"


def test_who_takes_programs_of_the_sensor_off_is_told_even_where_he_fails(start, rules) -> None:
    number = SYS_BPF.get(platform.machine())
    if number is None:
        pytest.skip("the number of bpf() is not known for this machine")
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    infos = (info.read_text() for info in Path(f"/proc/{run.process.pid}/fdinfo").iterdir())
    link = next(int(found[1]) for info in infos if (found := re.search(r"^link_id:\s+(\d+)", info, re.M)))
    bpf = ctypes.CDLL(None, use_errno=True).syscall
    descriptor = bpf(number, LINK_GET_FD_BY_ID, ctypes.create_string_buffer(struct.pack("I", link), 128), 128)
    assert descriptor >= 0
    for command, name in ((LINK_DETACH, "BPF_LINK_DETACH"), (PROG_DETACH, "BPF_PROG_DETACH")):
        bpf(number, command, ctypes.create_string_buffer(struct.pack("I", descriptor), 128), 128)
        assert run.alert("Kernel programs detached")["output_fields"]["evt.arg.cmd"] == name
    os.close(descriptor)


def test_a_sensor_that_was_killed_is_told_of_by_the_next_one(start, rules, tmp_path) -> None:
    store = ("-o", f"alerts.store={tmp_path / 'store'}")
    killed = start("run", "-r", str(rules), *store)
    killed.says("watching")
    living = start("run", "-r", str(rules), "--json", *store)
    living.says("watching")
    killed.signal(signal.SIGKILL)
    killed.process.wait(60)
    third = start("run", "-r", str(rules), "--json", *store)
    found = third.alert("Sensor ended without a word")
    assert found["output_fields"]["eyas.sensor.pid"] == killed.process.pid
    for run in (third, living):
        run.signal(signal.SIGINT)
        assert run.ends()[0] == 0
    assert list((tmp_path / "store/running").iterdir()) == []
