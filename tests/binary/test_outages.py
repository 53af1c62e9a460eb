"""A plugin that fails is started again, later each time; what it looks at goes on without it meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eyas import rules
from eyas.config.schema import Plugin
from eyas.errors import EyasError, RunError
from eyas.sources import members
from eyas.sources.binary import guests
from eyas.sources.binary.configured import configured
from eyas.sources.binary.outage import Outage
from eyas.transports.status import Status
from tests.binary.conftest import write_rules


class Clock:
    """A clock that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_pauses_grow_and_the_outage_is_told_once() -> None:
    told: list[EyasError] = []
    clock, status = Clock(), Status("birds")
    outage = Outage(status, told.append, "birds", clock=clock)
    pauses = []
    for _ in range(9):
        pauses.append(outage.failed(RunError("gone")))
        clock.now += pauses[-1]
        outage.works()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (len(told), status.restarts) == (1, 9)
    assert status.detail == "gone; failure 9, next start in 60 s"


def test_a_plugin_that_has_worked_for_a_minute_is_well() -> None:
    told: list[EyasError] = []
    clock = Clock()
    outage = Outage(Status("birds"), told.append, "birds", clock=clock)
    outage.failed(RunError("gone"))
    outage.failed(RunError("gone"))
    clock.now += 63
    outage.works()
    assert outage.failed(RunError("gone again")) == 1
    assert [str(error) for error in told] == ["gone", "gone again"]


def looked(looker: Path, folder: Path, lines: list[dict[str, Any]]) -> tuple[list[Any], Status, list[str]]:
    """Fields that the plugin adds to records, how it does, and what is told of it."""
    entry = Plugin(name="birds", library_path=str(looker), init_config={"eyes": 2, "mode": "crash"})
    plugins, _ = configured([entry], None)
    known = plugins.known(members.known())
    file = write_rules(folder / "r.yaml", source="json", condition="birds.name exists", output="%birds.name")
    guest = plugins.guests[0]
    told: list[str] = []
    guest.tell = lambda error: told.append(str(error))
    card = guest.card(rules.load([file], known).active)
    assert card.decode is not None
    records = card.decode("\n".join(map(json.dumps, lines)).encode())
    found = [dict(record.data)["eyas"]["plugins"] for record in records]  # type: ignore[arg-type]
    return [one.get("birds.name", {}).get("") for one in found], guest.status, told


def test_the_record_at_which_a_plugin_crashes_costs_no_other(looker: Path, tmp_path: Path) -> None:
    birds = ["wren", "swift", "kestrel", "owl"]
    names, status, told = looked(looker, tmp_path, [{"bird": bird} for bird in birds])
    assert names == ["wren", None, "kestrel", "owl"]
    assert told == ["plugin birds: its process was ended by SIGSEGV"]
    assert (status.restarts, status.refused) == (1, {})


def test_records_go_on_while_a_plugin_is_not_running(
    looker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "AT_ONCE", (0.0, 60.0))
    birds = ["swift", "wren", "swift", "kestrel", "owl"]
    names, status, told = looked(looker, tmp_path, [{"bird": bird} for bird in birds])
    assert names == [None, "wren", None, None, None]
    assert len(told) == 1
    assert (status.state, status.refused) == ("failed", {"not looked at": 2})
