"""Plugins that lie, crash, hang, print and fork: each is told of, and nothing else comes to harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eyas.config.schema import Plugin
from eyas.errors import UsageError
from eyas.sources.binary import child, outage, stream
from eyas.sources.binary.configured import configured
from eyas.sources.binary.stream import Asked, parcels
from eyas.transports.parcel import Link
from eyas.transports.status import Status
from tests.binary.conftest import Compile

ALL = Asked(
    (("hostile.text", None), ("hostile.number", None), ("hostile.texts", None), ("hostile.ip", None)), True
)
Watch = Callable[..., "Watched"]


class Watched:
    """What came of a plugin until it ended, or had failed three times."""

    def __init__(self, library: Path, how: str) -> None:
        entry = Plugin(name="hostile", library_path=str(library), init_config=how)
        self.told: list[str] = []
        self.link = Link(Status("hostile"), failed=lambda error: self.told.append(str(error)))
        made = configured([entry], None)[0].streams[0]
        made.asked = ALL
        self.records = [json.loads(line) for line in self._lines(made)]
        self.link.stop.set()

    def _lines(self, made: stream.Stream) -> Iterator[bytes]:
        self.link.status.heard = self._heard
        for parcel in parcels(made, self.link):
            yield from parcel.body.splitlines()

    def _heard(self, status: Status) -> None:
        if status.restarts >= 3:
            self.link.stop.set()

    @property
    def numbers(self) -> list[Any]:
        return [
            record["p"]["n"] if isinstance(record.get("p"), dict) else record.get("p")
            for record in self.records
        ]


@pytest.fixture
def hostile(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setattr(outage, "PAUSES", (0.0,))
    monkeypatch.setattr(stream, "PATIENCE", 1.0)
    monkeypatch.setattr(child, "TIMEOUT", 1.0)
    monkeypatch.setattr(child, "GRACE", 0.2)
    return lambda how: Watched(compiled("hostile"), how)


@pytest.mark.parametrize("where", ["init", "open", "next_batch", "parse"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("crash", "its process was ended by SIGSEGV"),
        ("exit", "its process ended with code 7"),
    ],
)
def test_a_crash_is_told_once_and_the_plugin_is_started_again(
    hostile: Watch, where: str, what: str, said: str
) -> None:
    seen = hostile(f"{what} in {where}")
    assert seen.told == [f"plugin hostile: {said}"]
    assert (seen.records, seen.link.status.restarts) == ([], 3)
    assert seen.link.status.detail == f"plugin hostile: {said}; failure 3, next start in 0 s"


@pytest.mark.parametrize(
    ("where", "op"), [("init", "start"), ("open", "open"), ("next_batch", "next"), ("parse", "next")]
)
def test_what_never_returns_is_killed_and_started_again(hostile: Watch, where: str, op: str) -> None:
    seen = hostile(f"hang in {where}")
    assert seen.told == [f"plugin hostile: no answer to '{op}' in 1 s; its process was killed"]
    assert seen.link.status.restarts == 3


def test_events_before_the_one_that_crashes_are_judged(hostile: Watch) -> None:
    assert hostile("crash in extract").numbers == [0, 0, 0]


@pytest.mark.parametrize("where", ["close", "destroy"])
@pytest.mark.parametrize("what", ["crash", "hang", "exit"])
def test_an_end_that_goes_wrong_takes_nothing_back(hostile: Watch, where: str, what: str) -> None:
    seen = hostile(f"{what} in {where}")
    assert (seen.numbers, seen.told) == ([0, 1, 2], [])


@pytest.mark.parametrize("where", ["init", "open", "next_batch", "extract", "parse"])
def test_a_fork_of_a_plugin_answers_nothing(hostile: Watch, where: str) -> None:
    seen = hostile(f"fork in {where}")
    assert (seen.numbers, seen.told) == ([0, 1, 2], [])


def test_what_a_plugin_prints_is_no_answer(hostile: Watch, capfd: pytest.CaptureFixture[str]) -> None:
    assert hostile("print").numbers == [0, 1, 2]
    assert "printed by the plugin" in capfd.readouterr().err


def test_what_a_plugin_logs_cannot_rule_the_terminal(
    hostile: Watch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert hostile("log").numbers == [0, 1, 2]
    said = capfd.readouterr().err
    assert "words" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("null event", [0, 2]),
        ("long event", [0, 2]),
        ("short event", [0, 2]),
        ("many parameters", [0, 2]),
        ("long parameter", [0, 2]),
        ("wrong id", [0, 2]),
        ("wrong type", [0, 2]),
        ("nowhere", []),
    ],
)
def test_events_that_are_none_are_left_out_and_told(
    hostile: Watch, how: str, left: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    seen = hostile(how)
    assert (seen.numbers, seen.told) == (left, [])
    assert seen.link.status.refused == {"no event of the plugin": 3 - len(left)}


def test_more_events_than_can_be_are_a_failure(hostile: Watch) -> None:
    assert hostile("many").told == ["plugin hostile: next_batch gives 4294967295 events at once"]


def test_an_unknown_answer_is_a_failure(hostile: Watch) -> None:
    assert hostile("odd code").told == ["plugin hostile: next_batch gives the unknown code 77"]


def test_a_payload_may_be_no_text_and_large(hostile: Watch) -> None:
    assert hostile("no text").numbers == [0, "\\xff\\xfe\x00\\x80", 2]
    seen = hostile("large event")
    assert (seen.numbers, seen.link.status.refused) == ([0, 2], {"no event of the plugin": 1})


@pytest.mark.parametrize(
    ("how", "values"),
    [
        ("fine", ("good", 5, ["good"], None)),
        ("null text", (None, 5, ["good"], None)),
        ("bad text", ("\ufffd\ufffd", 5, ["\ufffd\ufffd"], None)),
        ("many values", (None, None, None, None)),
        ("other type", ("good", 5, ["good"], None)),
        ("other field", ("good", 0, ["good"], None)),
        ("refuse to extract", (None, None, None, None)),
    ],
)
def test_values_that_are_none_are_none(hostile: Watch, how: str, values: tuple[Any, ...]) -> None:
    seen = hostile(how)
    assert seen.told == []
    found = [tuple(record["f"][name][""] for name, _ in ALL.fields) for record in seen.records]
    if how == "other field":  # an address where a number belongs
        found = [(text, 0, texts, ip) for text, _, texts, ip in found]
    assert found == [values] * 3


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ('API="4.0.0"', "needs version 4.0.0 of the plugin interface, here is 3.12.0"),
        ('API="3.13.0"', "needs version 3.13.0 of the plugin interface, here is 3.12.0"),
        ('API="3.12.1"', "needs version 3.12.1 of the plugin interface, here is 3.12.0"),
        ('API="2.0.0"', "needs version 2.0.0 of the plugin interface, here is 3.12.0"),
        ('API="three"', "'three' is no version of the plugin interface"),
        ("API=NULL", "'' is no version of the plugin interface"),
        ("NAMELESS", "it has no name"),
        ('FIELDS="[}"', "get_fields gives no JSON"),
        ('FIELDS="{}"', "get_fields: expected a list of fields"),
        ('FIELDS="[7]"', "get_fields: field 1: expected an object, found 7"),
        ('FIELDS="[{}]"', "get_fields: field 1 has no name"),
        ('FIELDS="[{\\"name\\":\\"a.b\\",\\"type\\":\\"float\\"}]"', "get_fields: field a.b has the unknown type 'float'"),
        ('FIELDS="[{\\"name\\":\\"a b\\",\\"type\\":\\"bool\\"}]"', "get_fields: 'a b' is no name of a field"),
        ('FIELDS="[{\\"name\\":\\"a.b\\",\\"type\\":\\"bool\\",\\"arg\\":3}]"', "get_fields: field a.b: expected an object in 'arg', found 3"),
    ],
)  # fmt: skip
def test_what_a_plugin_says_of_itself_is_checked(compiled: Compile, definition: str, said: str) -> None:
    entry = Plugin(name="hostile", library_path=str(compiled("hostile", definition)))
    with pytest.raises(UsageError) as raised:
        configured([entry], None)
    assert f"plugin hostile: {said}" in str(raised.value)
