"""Captures through rules to alerts."""

import json
from pathlib import Path

import pytest

from eyas import _core, alert, catalog, pipeline, rules

SHARED = Path(__file__).resolve().parents[2] / "shared"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
CAPTURES = ("cat_write", "container_start", "curl_google", "ping_sendto", "single_ipv6_conn")

RULES = """
- list: shells
  items: [sh, bash]
- macro: opened_for_writing
  condition: evt.type in (open, openat) and evt.is_open_write = true
- rule: a shell writes below etc
  desc: A shell opened a file below /etc for writing.
  condition: opened_for_writing and proc.name in (shells) and fd.name startswith /etc/
  output: "%proc.name wrote %fd.name (user=%user.name)"
  priority: WARNING
  tags: [T1543, host]
"""


def play(text: str, capture: Path) -> list[alert.Alert]:
    from eyas.rules import document

    loaded = rules.load_documents([document.parse("test.yaml", text)], catalog.load(), rules.Settings())
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    return list(pipeline.replay(capture, loaded.active, program, pipeline.Tally()))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "made.scap"
    writer = _core.CaptureWriter(str(path))
    process = {"tid": 10, "pid": 10, "ptid": 1, "comm": "bash", "exe": "/bin/bash", "cwd": "/etc/"}
    init = {"tid": 1, "pid": 1, "ptid": 0, "comm": "init", "exe": "/sbin/init"}
    writer.snapshot(json.dumps({"processes": [init, process]}).encode())
    names = {"fd": 3, "dirfd": -100, "flags": "O_WRONLY"}
    writer.event("openat", 1_000_000_000, 10, {**names, "name": "passwd"})
    writer.event("openat", 1_000_000_001, 10, {**names, "name": "/tmp/x"})
    writer.event("openat", 1_000_000_002, 10, {**names, "name": "evil\x1b[2J\xff"})
    writer.close()
    return path


def test_a_relative_path_is_resolved_against_the_working_directory(capture: Path) -> None:
    alerts = play(RULES, capture)
    assert next(one.message for one in alerts) == "bash wrote /etc/passwd (user=root)"
    assert len(alerts) == 2


def test_hostile_bytes_harm_neither_terminal_nor_json(capture: Path) -> None:
    hostile = play(RULES, capture)[1]
    text = hostile.line(alert.Style())
    assert "\x1b" not in text
    assert json.loads(hostile.line(alert.Style(json_output=True)))["output_fields"]["fd.name"].startswith(
        "/etc/evil"
    )


def test_an_alert_names_techniques_and_sorts_its_keys(capture: Path) -> None:
    line = play(RULES, capture)[0].json(alert.Style(time_format_iso_8601=True))
    body = json.loads(line)
    assert body["eyas"]["attack"] == ["T1543"]
    assert body["time"] == "1970-01-01T00:00:01.000000000Z"
    assert list(body) == sorted(body)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_three_rule_files_give_the_alerts_that_falco_gives(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} with captures and rule files is missing")
    paths = [SHARED / "interop/rules" / file for file in FILES]
    loaded = rules.load(paths, catalog.load(), rules.Settings(enable_all=True))
    assert not loaded.problems
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    capture = SHARED / f"interop/captures/{name}.scap"
    style = alert.Style(json_output=True, time_format_iso_8601=True)
    got = []
    for one in pipeline.replay(capture, loaded.active, program, pipeline.Tally()):
        body = json.loads(one.json(style))
        del body["eyas"], body["hostname"]
        got.append(body)
    wanted = [json.loads(line) for line in (SHARED / f"oracle/alerts/{name}.jsonl").read_text().splitlines()]
    for body in wanted:
        del body["hostname"]
    assert got == wanted


def test_fields_and_conditions_agree_with_falco() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} with recorded answers is missing")
    from eyas import conform

    for compare in (conform.fields, conform.conditions):
        score = compare(SHARED)
        assert score.agreed >= 0.995 * (score.total - score.deliberate), "\n".join(score.lines())
