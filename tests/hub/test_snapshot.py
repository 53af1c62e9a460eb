"""Snapshots of figures, with Falco's names."""

import json
from pathlib import Path
from typing import Any

import pytest

from eyas.alert import Alert, Style
from eyas.cli import keeping
from eyas.config import Settings
from eyas.errors import UsageError
from eyas.hub.sensor import Sensor
from eyas.hub.snapshot import RULE, Snapshots, Wanted


def taken(*sensors: Sensor, **wanted: Any) -> list[Alert]:
    """The alerts of some snapshots, one for each state of the sensor."""
    states, found = iter(sensors), list[Alert]()
    snapshots = Snapshots(Wanted(3600, **wanted), lambda: next(states), found.append, "1.2.3")
    for _ in sensors:
        snapshots.sample()
    return found


def test_a_snapshot_is_an_internal_alert_with_the_figures() -> None:
    (alert,) = taken(Sensor(events=10, by_rule={"A shell (in x)": 3, "B": 0}))
    assert (alert.rule, alert.priority, alert.source) == (RULE, "Informational", "internal")
    assert alert.fields["falco.version"] == "1.2.3"
    assert alert.fields["falco.num_evts"] == 10
    assert alert.fields["falco.rules.A_shell_in_x"] == 3
    assert alert.fields["falco.memory_rss_mb"] > 1
    assert "falco.rules.B" not in alert.fields
    assert "falco.num_evts=10" in alert.line(Style())
    assert json.loads(alert.line(Style(json_output=True)))["output_fields"] == alert.fields


def test_a_snapshot_says_what_grew_since_the_last() -> None:
    _, second = taken(
        Sensor(events=10, lost=1),
        Sensor(events=30, lost=10, ledger={"open": {"sent": 30, "lost": 9, "read": 30}}),
    )
    assert second.fields["falco.num_evts_prev"] == 10
    assert second.fields["scap.n_drops_prev"] == 1
    assert second.fields["scap.n_drops_perc"] == 25.0
    assert second.fields["scap.n_drops_buffer_open"] == 9


def test_groups_of_figures_are_left_out_where_they_are_not_wanted() -> None:
    (alert,) = taken(Sensor(events=10, lost=1, by_rule={"A": 1}), rules=False, resources=False, kernel=False)
    assert not [name for name in alert.fields if name.startswith(("falco.rules", "scap.n_", "falco.memory"))]


def test_memory_is_told_in_kilobytes_and_zeros_are_shown_where_that_is_wanted() -> None:
    (alert,) = taken(Sensor(), megabytes=False, zeros=True)
    assert alert.fields["falco.memory_rss_kb"] > 1024
    assert alert.fields["scap.n_drops"] == 0


def test_a_file_gets_a_line_for_each_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    assert taken(Sensor(events=1), Sensor(events=2), alert=False, file=path) == []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["sample"], line["output_fields"]["falco.num_evts"]) for line in lines] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("section", "interval"),
    [
        ({}, None),
        ({"metrics": {"enabled": True}}, 3600.0),
        ({"metrics": {"enabled": True, "interval": "1h30m"}}, 5400.0),
        ({"metrics": {"enabled": True}, "priority": "warning"}, None),
        ({"metrics": {"enabled": True, "output_rule": False}}, None),
        (
            {"metrics": {"enabled": True, "output_rule": False, "output_file": "x"}, "priority": "error"},
            3600.0,
        ),
    ],
)
def test_the_configuration_says_when(section: dict[str, Any], interval: float | None) -> None:
    found = keeping._snapshots(Settings.model_validate(section))
    assert (found and found.interval) == interval


@pytest.mark.parametrize("interval", ["soon", "50ms", ""])
def test_a_wrong_interval_is_refused(interval: str) -> None:
    with pytest.raises(UsageError, match=r"metrics\.interval"):
        keeping._snapshots(Settings.model_validate({"metrics": {"enabled": True, "interval": interval}}))
