"""`eyas run` as a user meets it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

RULE = """
- rule: {name}
  desc: A file of this test is read.
  condition: evt.type in (open, openat, openat2) and fd.name startswith {folder}/secret and evt.is_open_read = true
  output: "%proc.name read %fd.name"
  priority: WARNING
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("x")
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(RULE.format(name="a secret is read", folder=tmp_path))
    return path


def test_an_alert_comes_as_it_happens_and_ctrl_c_ends_with_statistics(start, rules, secret, tmp_path) -> None:
    figures = tmp_path / "figures.json"
    run = start("run", "-r", str(rules), "--json", "--stats", str(figures))
    run.says("watching")
    subprocess.run(["cat", str(secret)], check=True, stdout=subprocess.DEVNULL)
    alert = run.alert("a secret is read")
    assert alert["output_fields"] == {
        "evt.time": alert["output_fields"]["evt.time"],
        "fd.name": str(secret),
        "proc.name": "cat",
    }
    clocks = alert["eyas"]["clocks"]
    assert sorted(clocks.values()) == [clocks[name] for name in ("kernel", "read", "judged", "written")]
    run.signal(signal.SIGINT)
    code, said = run.ends()
    assert code == 0
    assert "1 alerts, 0 events lost" in said
    assert json.loads(figures.read_text())["alerts"] == 1


def test_whoever_acts_while_the_watch_begins_is_known(start, rules, secret) -> None:
    reader = subprocess.Popen(
        ["sh", "-c", 'while :; do cat "$0"; done', str(secret)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        run = start("run", "-r", str(rules), "--json")
        names = {run.alert("a secret is read")["output_fields"]["proc.name"] for _ in range(50)}
    finally:
        reader.kill()
        reader.wait()
    assert names == {"cat"}


def test_sighup_puts_changed_rules_in_force(start, rules, secret, tmp_path) -> None:
    run = start("run", "-r", str(rules), "--json", "-o", "watch_config_files=false")
    run.says("watching")
    rules.write_text(RULE.format(name="renamed", folder=tmp_path))
    run.signal(signal.SIGHUP)
    run.says("reloaded")
    secret.read_text()
    run.alert("renamed")


def test_a_changed_rule_file_is_noticed_and_a_faulty_one_leaves_the_old_in_force(
    start, rules, secret, tmp_path
) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    rules.write_text(RULE.format(name="noticed", folder=tmp_path))
    run.says("reloaded")
    rules.write_text("- rule: nothing else\n")
    run.says("stay")
    secret.read_text()
    run.alert("noticed")


def test_it_ends_by_itself(start, rules) -> None:
    run = start("run", "-r", str(rules), "--for", "100ms")
    code, said = run.ends()
    assert code == 0
    assert "watching" in said


def test_systemd_is_told(start, rules, tmp_path, monkeypatch) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        run = start("run", "-r", str(rules))
        assert b"READY=1" in systemd.recv(4096)
        run.signal(signal.SIGTERM)
        said = b""
        while b"STOPPING=1" not in said:
            said = systemd.recv(4096)
        assert run.ends()[0] == 0


def test_who_freezes_the_sensor_is_told(start, rules) -> None:
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    run.signal(signal.SIGSTOP)
    run.signal(signal.SIGCONT)
    found = run.alert("Sensor frozen or killed")
    assert found["output_fields"]["evt.arg.sig"] == "SIGSTOP"


def test_without_the_right_it_says_what_is_missing(machine, rules) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing (package util-linux)")
    lacking = ["setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin"]
    done = subprocess.run(
        [*lacking, sys.executable, "-m", "eyas", "run", "-r", str(rules)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "refuses bpf()" in done.stderr
    assert "hint:" in done.stderr


@pytest.fixture
def watching(machine: None, rules: Path) -> Callable[..., AbstractContextManager[subprocess.Popen[str]]]:
    """A watch whose standard output the test holds itself."""

    @contextmanager
    def begin(stdout: int, *args: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "eyas", "run", "-r", str(rules), "-o", "alerts.enabled=false", *args]
        with subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr is not None
            assert "watching" in run.stderr.readline()
            yield run

    return begin


def test_it_ends_when_the_reader_of_its_output_leaves(watching) -> None:
    read, write = os.pipe()
    with watching(write) as run:
        os.close(write)
        os.close(read)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 141
    assert "0 alerts, 0 events lost" in said


def test_it_ends_with_a_message_when_its_output_is_broken(watching, secret) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with watching(full) as run:
        os.close(full)
        secret.read_text()
        _, said = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "eyas: cannot write: no space left on device" in said


def test_an_output_that_nobody_reads_does_not_hold_detection_up(watching, secret, tmp_path) -> None:
    read, write = os.pipe()
    figures = tmp_path / "figures.json"
    with watching(write, "--stats", str(figures)) as run:
        for _ in range(1000):
            secret.read_text()
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)
    os.close(write)
    os.close(read)
    assert run.returncode == 0
    assert "1000 alerts, 0 events lost" in said
    assert json.loads(figures.read_text())["alerts"] == 1000
    assert "alerts were not printed" in said
