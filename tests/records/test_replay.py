"""`eyas replay --source`: files of every shape, good and bad."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eyas.cli.replay import command
from eyas.errors import UsageError

EVENT = {"stageTimestamp": "2023-05-04T10:11:12Z", "verb": "create", "objectRef": {"resource": "pods"}}
RULE = """
- rule: created
  desc: something was created
  source: k8s_audit
  condition: ka.verb = create
  output: made %ka.target.resource
  priority: NOTICE
- rule: of the kernel
  desc: not about logs
  condition: evt.type = open
  output: opened %fd.name
  priority: NOTICE
"""


def replay(tmp_path: Path, content: bytes, name: str = "events.json") -> Result:
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / name).write_bytes(content)
    arguments = ["--source", "k8s_audit", "-r", str(tmp_path / "rules.yaml"), str(tmp_path / name)]
    arguments += ["--stats", str(tmp_path / "stats.json")]
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


@pytest.mark.parametrize(
    ("content", "alerts"),
    [
        (json.dumps(EVENT), 1),
        (json.dumps(EVENT, indent=2), 1),
        (f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}\n", 2),
        (json.dumps([EVENT, EVENT]), 2),
        (json.dumps({"kind": "EventList", "items": [EVENT, EVENT, EVENT], "metadata": {}}), 3),
        ("", 0),
        (json.dumps({"kind": "EventList", "items": []}), 0),
    ],
)
def test_a_file_holds_documents_lines_or_lists(tmp_path: Path, content: str, alerts: int) -> None:
    plain = replay(tmp_path, content.encode())
    packed = replay(tmp_path, gzip.compress(content.encode()), "events.json.gz")
    assert plain.stdout.count("made pods") == packed.stdout.count("made pods") == alerts
    assert json.loads((tmp_path / "stats.json").read_text())["alerts"] == alerts


def test_what_is_no_event_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = json.dumps(EVENT)
    lines = [good, "rubbish", '{"a":' + "[" * 10_000, good]
    done = replay(tmp_path, "\n".join(lines).encode())
    assert done.stdout.count("made pods") == 2
    told = [line.rsplit(": byte ", 1)[1] for line in done.stderr.splitlines()]
    assert [text.split(": ", 1)[1] for text in told] == [
        "not JSON: '{' or '[' expected",
        "nested deeper than 256",
    ]
    assert json.loads((tmp_path / "stats.json").read_text())["unknown_events"] == 2


def test_a_record_without_a_time_happened_with_the_one_before_or_when_its_file_was_written(
    tmp_path: Path,
) -> None:
    timeless = json.dumps({key: value for key, value in EVENT.items() if key != "stageTimestamp"})
    lines = f"{timeless}\n{json.dumps(EVENT)}\n{timeless}\n".encode()
    replay(tmp_path, lines)
    os.utime(tmp_path / "events.json", (86_400.25, 86_400.25))
    arguments = ["--source", "k8s_audit", "-r", str(tmp_path / "rules.yaml"), str(tmp_path / "events.json")]
    arguments += ["--json", "--stats", str(tmp_path / "stats.json")]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    times = [json.loads(line)["time"] for line in done.stdout.splitlines()]
    assert times == ["1970-01-02T00:00:00.250000000Z", *["2023-05-04T10:11:12.000000000Z"] * 2]
    told = "events.json: 2 events say no time of their own, first byte 0: judged at that of the event before"
    assert told in done.stderr
    assert json.loads((tmp_path / "stats.json").read_text())["untimed"] == 2


def test_records_that_are_no_events_are_counted_and_told_with_place_and_reason(tmp_path: Path) -> None:
    call = {"eventName": "CreateUser", "eventTime": "2026-01-31T10:00:00Z", "eventType": "AwsApiCall"}
    nameless = {name: value for name, value in call.items() if name != "eventType"}
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [call, nameless, nameless, call]}))
    stats = tmp_path / "stats.json"
    given = ["--source", "aws_cloudtrail", str(tmp_path / "trail.json"), "--stats", str(stats)]
    done = CliRunner().invoke(command, given, catch_exceptions=False)
    at = (tmp_path / "trail.json").read_text().index(json.dumps(nameless))
    told = f"2 skipped that are no events, first byte {at}: an insight, or without eventType"
    assert done.stderr == f"aws_cloudtrail: {tmp_path / 'trail.json'}: {told}\n"
    figures = json.loads(stats.read_text())
    assert (figures["events"], figures["skipped"], figures["unknown_events"]) == (2, 2, 0)


def test_entries_of_githubs_audit_log_are_read_as_they_are_streamed(tmp_path: Path) -> None:
    entry = {"@timestamp": 1_769_853_600_123, "action": "repo.access", "actor": "ann", "repo": "acme/shop"}
    (tmp_path / "audit.jsonl").write_text(json.dumps({**entry, "visibility": "public"}))
    given = ["--source", "github", "--iso", str(tmp_path / "audit.jsonl")]
    done = CliRunner().invoke(command, given, catch_exceptions=False)
    assert done.stderr == ""
    assert done.stdout.startswith("2026-01-31T10:00:00.123")
    assert "a private repository is public now (user=ann repository=acme/shop)" in done.stdout


def test_a_gzip_stream_that_is_cut_is_a_failure_of_that_file(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps(EVENT).encode() * 10_000)
    with pytest.raises(Exception, match=r"events\.json\.gz"):
        replay(tmp_path, packed[: len(packed) // 2], "events.json.gz")


def test_a_gzip_bomb_is_refused_as_one_long_record(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"a":"' + b"x" * (40 << 20) + b'"}\n' + json.dumps(EVENT).encode(), 1)
    assert len(bomb) < 1 << 20
    done = replay(tmp_path, bomb, "bomb.json.gz")
    assert "byte 0: longer than 16777216 bytes" in done.stderr
    assert done.stdout.count("made pods") == 1


def test_an_unknown_source_is_named_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source is called 'k8saudit'"):
        CliRunner().invoke(command, ["--source", "k8saudit", __file__], catch_exceptions=False)
