"""Alerts as text and JSON, to the letter."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyas import alert, catalog, pipeline, rules
from eyas.alert import Alert, Style

SHARED = Path(__file__).resolve().parents[2] / "shared"
GOLDENS = Path(__file__).parent / "goldens" / "alerts"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")
CAPTURES = ("cat_write", "container_start", "curl_google", "ping_sendto", "single_ipv6_conn")
SECOND = 1_000_000_000

UNSEEN = [
    *range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A),
]  # fmt: skip


def made(message: str = "said", fields: dict[str, object] | None = None, tags: tuple[str, ...] = ()) -> Alert:
    return Alert("a rule", "Notice", "syscall", tags, SECOND + 5, message, fields or {}, "host")


def test_a_json_alert_has_sorted_keys_blanks_behind_separators_and_no_more() -> None:
    fields = {"proc.pid": 7, "fd.name": None, "evt.is_open_write": True, "proc.args": ["a", "b"]}
    line = made('x "y"', fields, ("T1059", "host")).json(Style(time_format_iso_8601=True))
    assert line == (
        '{"eyas": {}, "hostname": "host", "output": "1970-01-01T00:00:01.000000005+0000: Notice x \\"y\\"", '
        '"output_fields": {"evt.is_open_write": true, "evt.time.iso8601": 1000000005, "fd.name": null, '
        '"proc.args": ["a", "b"], "proc.pid": 7}, "priority": "Notice", "rule": "a rule", "source": "syscall", '
        '"tags": ["T1059", "host"], "time": "1970-01-01T00:00:01.000000005Z"}'
    )


def test_the_time_among_the_fields_is_the_one_that_the_line_begins_with() -> None:
    body = json.loads(made().json(Style()))
    assert body["output_fields"] == {"evt.time": SECOND + 5}
    assert body["output"] == f"{alert.clock(SECOND + 5)}: Notice said"


def test_properties_are_left_out_and_taken_in_as_the_style_says() -> None:
    style = Style(True, True, False, True, False, False)
    body = json.loads(made().line(style))
    assert set(body) == {"eyas", "hostname", "message", "priority", "rule", "source", "time"}
    assert body["message"] == "said"


@pytest.mark.parametrize("code", UNSEEN, ids=lambda code: f"U+{code:04X}")
def test_a_character_that_a_terminal_obeys_is_never_written_raw(code: int) -> None:
    hostile = made(f"a{chr(code)}b", {"fd.name": chr(code), f"k{chr(code)}": 1})
    written = hostile.json(Style())
    assert chr(code) not in hostile.line(Style())
    assert chr(code) not in written
    assert json.loads(written)["output_fields"]["fd.name"] == chr(code)


def test_letters_of_every_script_stay_as_they_are() -> None:
    message = "zażółć 日本語 русский עברית 🦅 \u00a0\u3000"
    assert message in made(message).line(Style())
    assert message in made(message).json(Style())


def test_half_of_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert made("a\ud800b").line(Style()).endswith("a\ufffdb")
    assert json.loads(made("a\ud800b").json(Style()))["output"].endswith("a\ufffdb")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.text(st.characters()),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=9)),
)
def test_any_text_makes_one_line_that_reads_back_as_what_was_said(
    message: str, fields: dict[str, object]
) -> None:
    written = made(message, fields).json(Style(json_include_message_property=True))
    written.encode()
    assert len(written.splitlines()) == len(made(message).line(Style()).splitlines()) == 1
    body = json.loads(written)
    assert alert._LONE.sub("\ufffd", message) == body["message"]
    assert not any(chr(code) in written for code in UNSEEN)


@pytest.fixture(scope="module")
def loaded() -> rules.Loaded:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} with captures and rule files is missing")
    paths = [SHARED / "interop/rules" / name for name in FILES]
    return rules.load(paths, catalog.load(), rules.Settings(enable_all=True))


def machineless(line: str) -> str:
    """An alert without what names the machine that judges."""
    body = json.loads(line)
    del body["hostname"]
    return json.dumps(body, sort_keys=True, ensure_ascii=False)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_alerts_of_a_capture_are_as_written(name: str, loaded: rules.Loaded) -> None:
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    capture = SHARED / f"interop/captures/{name}.scap"
    style = Style(json_output=True, time_format_iso_8601=True)
    raised = pipeline.replay(capture, loaded.active, program, pipeline.Tally())
    lines = "".join(machineless(one.line(style)) + "\n" for one in raised)
    path = GOLDENS / f"{name}.jsonl"
    if os.environ.get("EYAS_RENEW"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines)
    assert lines == path.read_text()


def test_every_golden_alert_belongs_to_a_capture() -> None:
    assert {path.stem for path in GOLDENS.glob("*.jsonl")} == set(CAPTURES)
