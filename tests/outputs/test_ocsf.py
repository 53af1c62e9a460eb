"""OCSF: the same alert as a detection finding (2004) and as a security finding (2001)."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from eyas.hub.growth import updated
from eyas.outputs.body import ocsf
from tests.outputs.cases import ALERT
from tests.outputs.test_hostile import WORST

GOLDENS = Path(__file__).parents[1] / "goldens" / "ocsf"


@pytest.mark.parametrize("kind", ["detection", "finding"])
def test_the_finding_is_as_written(kind: str) -> None:
    made = json.dumps(getattr(ocsf, kind)(ALERT), indent=1) + "\n"
    path = GOLDENS / f"{kind}.json"
    if os.environ.get("EYAS_RENEW"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made)
    assert made == path.read_text()


@pytest.mark.parametrize("kind", ["detection", "finding"])
def test_what_the_schema_requires_is_there(kind: str) -> None:
    made = getattr(ocsf, kind)(WORST)
    required = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
    assert required <= set(made)
    assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]
    assert {"version", "product"} <= set(made["metadata"])
    json.dumps(made, allow_nan=False).encode()


def test_an_unknown_priority_is_unknown() -> None:
    assert ocsf.severity(dataclasses.replace(ALERT, priority="odd")) == (0, "Unknown")


def test_news_of_an_alert_are_an_update_of_its_finding() -> None:
    first = dataclasses.replace(ALERT, eyas={"id": "a"})
    group = {"id": "g", "count": 25, "first": 1_000_000, "last": 9_000_000, "examples": []}
    news = ocsf.detection(updated(first, "a", group))
    assert (news["activity_id"], news["type_uid"], news["count"]) == (2, 200402, 25)
    assert news["finding_info"]["uid"] == ocsf.detection(first)["finding_info"]["uid"]
    assert (news["finding_info"]["first_seen_time"], news["finding_info"]["last_seen_time"]) == (1, 9)
