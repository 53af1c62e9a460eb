"""A recording holds what the live run saw."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from eyas import _core, alert, catalog, pipeline, rules, watch
from eyas.rules import document

RULES = """
- rule: opened
  desc: A file of this test is opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith {folder}
  output: "%proc.name (parent %proc.pname, user %user.name) opened %fd.name of %proc.cmdline in %proc.cwd"
  priority: WARNING
- rule: ran
  desc: A program is started below a shell of this test.
  condition: evt.type in (execve, execveat) and evt.dir = < and proc.aname = sh and proc.env[EYAS_TEST] = {folder}
  output: "%proc.name %proc.args by %proc.aname[1] exe %proc.exepath"
  priority: WARNING
- rule: connected
  desc: A connection.
  condition: evt.type = connect and proc.env[EYAS_TEST] = {folder}
  output: "%proc.name %fd.name"
  priority: WARNING
- rule: wrote
  desc: A word is written.
  condition: evt.type = write and evt.buffer contains one and proc.env[EYAS_TEST] = {folder}
  output: "%proc.name wrote %evt.buffer to %fd.name"
  priority: WARNING
"""

WORKLOAD = """
cd {folder}
echo one > a; cat a; cp a b; mv b c; ln -s a d; cat d
(cat c; exec cat a) | (cd /; cat; cat {folder}/c)
mkdir sub; cd sub; cat ../a > e
exec 9< e; cat <&9; chmod 600 e; rm e
python3 -c 'import socket; s = socket.socket(); s.connect_ex(("127.0.0.1", 9))'
"""


@pytest.fixture
def force(tmp_path: Path) -> watch.Force:
    text = RULES.format(folder=tmp_path / "scene")
    loaded = rules.load_documents([document.parse("test.yaml", text)], catalog.load(), rules.Settings())
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    events = watch.needed(loaded.active, catalog.load())
    return watch.Force(loaded.active, program, events, alert.Style())


def act(folder: Path) -> None:
    folder.mkdir()
    subprocess.run(
        ["sh", "-c", WORKLOAD.format(folder=folder)],
        check=True,
        env={"PATH": "/usr/bin:/bin", "EYAS_TEST": str(folder)},
        stdout=subprocess.DEVNULL,
    )


def test_a_recording_replayed_gives_the_alerts_of_the_live_run(machine, force, tmp_path) -> None:
    path = tmp_path / "trace.scap"
    live = _core.Live(force.program, force.events, write=str(path))
    act(tmp_path / "scene")
    seen = [
        pipeline.alert_of(match, force.rules[match.rule], "")
        for found in live.close().found
        for match in found.matches
    ]
    assert {one.rule for one in seen} == {"opened", "ran", "connected", "wrote"}
    again = list(pipeline.replay(path, force.rules, force.program, pipeline.Tally()))
    assert [(one.ts, one.rule, one.message) for one in again] == [
        (one.ts, one.rule, one.message) for one in seen
    ]
    assert live.stats()["events"] > len(seen)
    assert live.stats()["known"]["n_fds"] > live.stats()["known"]["n_threads"] > 0


def test_record_keeps_what_the_filter_says(start, force, tmp_path) -> None:
    path = tmp_path / "kept.scap.gz"
    run = start("record", str(path), "--filter", "proc.name = cat and evt.type = openat")
    run.says("watching")
    act(tmp_path / "scene")
    run.signal(signal.SIGINT)
    code, said = run.ends()
    assert code == 0
    lines = list(_core.field_values(str(path), ["proc.name", "evt.type"]))
    assert lines
    assert said.splitlines()[-1].startswith(f"{len(lines)} events in ")
    assert set(lines) == {'{"evt.type":"openat","proc.name":"cat"}'}


def test_sysdig_reads_a_recording(machine, tmp_path) -> None:
    if shutil.which("sysdig") is None:
        pytest.skip("sysdig is missing (package sysdig)")
    path = tmp_path / "trace.scap"
    live = _core.Live(None, [event.id for event in catalog.load().events], write=str(path))
    act(tmp_path / "scene")
    live.close()
    condition = f"fd.name={tmp_path}/scene/c and evt.type=openat"
    read = subprocess.run(
        ["sysdig", "-r", str(path), "-p", "%proc.name %fd.name", condition],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"cat {tmp_path}/scene/c" in read.stdout.splitlines()
