"""Alertmanager's labels: counts of lost events become steps, lest each number be an alert of its own."""

import dataclasses
import json

import pytest

from eyas.alert import Alert
from eyas.errors import UsageError
from eyas.outputs.card import find, plan
from eyas.outputs.settings import settings_of

DROPS = Alert("Falco internal: syscall event drop", "Debug", "internal", (), 0, "drops", {}, "")


def labels(values: dict[str, object], **settings: object) -> dict[str, str]:
    card = find("alertmanager")
    alert = dataclasses.replace(DROPS, fields=values)
    (request,) = plan(card, [alert], settings_of(card, {"hostport": "http://a", **settings}))
    found: dict[str, str] = json.loads(request.body)[0]["labels"]
    return found


@pytest.mark.parametrize(
    ("count", "step", "priority"),
    [
        ("0", "0", "Warning"),
        ("1", "1", "Critical"),
        ("2", ">1", "Warning"),
        ("11", ">10", "Warning"),
        ("101", ">100", "Critical"),
        ("20000", ">10000", "Critical"),
        ("many", "many", "Critical"),
    ],
)
def test_a_count_of_drops_becomes_a_step_with_its_priority(count: str, step: str, priority: str) -> None:
    found = labels({"n_drops": count, "n_evts": "99"})
    assert (found["n_drops"], found["priority"]) == (step, priority)
    assert "n_evts" not in found


def test_a_number_that_no_one_reads_is_a_text() -> None:
    assert labels({"n_drops": "9" * 5000})["priority"] == "Critical"


def test_steps_that_are_none_are_a_fault() -> None:
    with pytest.raises(UsageError, match="expected a number and a priority, found 'ten:critical'"):
        labels({}, dropeventthresholds="ten:critical")


def test_steps_can_be_set() -> None:
    found = labels(
        {"n_drops": 7}, dropeventthresholds="5:emergency, 1:notice", dropeventdefaultpriority="alert"
    )
    assert (found["n_drops"], found["priority"], found["severity"]) == (">5", "Emergency", "critical")


def test_each_member_of_a_cluster_is_told() -> None:
    card = find("alertmanager")
    settings = settings_of(card, {"hostport": "http://a:1,http://b:2"})
    urls = [request.url for request in plan(card, [DROPS, DROPS], settings)]
    assert urls == ["http://a:1/api/v2/alerts", "http://b:2/api/v2/alerts"]


def test_every_member_of_a_cluster_hears_that_an_alert_is_over() -> None:
    card = find("alertmanager")
    assert card.resolve is not None
    made = card.resolve(DROPS, settings_of(card, {"hostport": "http://a,http://b"}))
    assert [request.url for request in made] == [f"http://{host}/api/v2/alerts" for host in "ab"]
    assert all(json.loads(request.body)[0]["endsAt"].startswith("1970-01-01T00:00:00") for request in made)
