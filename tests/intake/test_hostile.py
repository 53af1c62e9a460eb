"""What hostile or broken senders post to a listener: refused or skipped, counted, told in one line, and the rest goes on."""

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from eyas import rules
from eyas.alert import Alert
from eyas.intake import Intake, configured, judges
from eyas.rules import document
from eyas.sources import members
from eyas.transports import signature
from eyas.transports.checkpoint import Checkpoints
from tests.transports.conftest import wait_until

RULES = """
- rule: asked
  desc: d
  condition: ka.verb exists
  output: "%ka.verb %ka.auditid %ka.response.code %ka.user.groups %ka.req.pod.containers.image"
  priority: NOTICE
  source: k8s_audit
- rule: told
  desc: d
  condition: github.type exists
  output: "%github.type %github.repo.public %github.commit.added %github.workflow.filename"
  priority: NOTICE
  source: github
"""
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {
    "auditID": "good",
    "verb": "get",
    "stage": "ResponseComplete",
    "stageTimestamp": "2026-01-31T10:00:00Z",
}


class House:
    """A run with a listener for each of two sources; `lines` is what it logged."""

    def __init__(self, folder: Path) -> None:
        loaded = rules.load_documents([document.parse("r.yaml", RULES)], members.known(), rules.Settings())
        plain = {"via": "http", "listen": "127.0.0.1:0", "max_body": 1_000_000}
        signed = {**plain, "secret": "shared", "api": "http://127.0.0.1:1"}
        feeds = configured({"k8s_audit": plain, "github": signed})
        self.alerts: list[Alert] = []
        self._store = Checkpoints(folder / "checkpoints.db")
        known = judges([feed.source.name for feed in feeds], loaded.active, members.known())
        self._intake = Intake(feeds, known, self._store, self.alerts.extend)
        self.lines: list[Any] = []
        self._thread = threading.Thread(target=self._intake.run)
        self._thread.start()
        self.audit, self.github = self._intake.statuses
        wait_until(lambda: all(one.state == "running" for one in self._intake.statuses))

    def post(self, body: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(self.audit.where, content=body, headers={**JSON, **named}, timeout=60).status_code

    def delivery(self, event: dict[str, Any], **headers: str) -> httpx.Response:
        body = json.dumps(event).encode()
        scheme = signature.Scheme("X-Hub-Signature-256", "sha256=")
        signs = {scheme.header: signature.sign(scheme, "shared", body), "X-GitHub-Event": "star"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(self.github.where, content=body, headers={**JSON, **signs, **named}, timeout=60)

    def close(self) -> None:
        self._intake.stop()
        self._thread.join()
        self._store.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with structlog.testing.capture_logs() as lines:
        made = House(tmp_path)
        made.lines = lines
        yield made
        made.close()


def told(house: House, source: str, reason: str) -> dict[str, Any]:
    """The one line about a refusal; it names source, place and reason."""
    (line,) = [one for one in house.lines if one["event"] == "refused"]
    assert (line["source"], line["reason"]) == (source, reason)
    assert line["at"].startswith("POST from 127.0.0.1")
    return dict(line)


def goes_on(house: House) -> None:
    assert house.post(json.dumps(GOOD).encode()) == 200
    assert [alert.rule for alert in house.alerts] == ["asked"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested deeper"),
        (b"[" * 10_000, "expected"),
        (b'{"verb":"\xff\xfe"}', "UTF-8"),
        (b'{"verb":"get"', "ends in the middle"),
        (b"<xml/>", "not JSON"),
        (b'{"verb": NaN}', "not JSON"),
    ],
    ids=["deep object", "deep list", "no UTF-8", "cut off", "no JSON", "no number"],
)
def test_a_body_that_is_no_record_is_refused(house: House, body: bytes, detail: str) -> None:
    assert house.post(body) == 400
    assert detail in told(house, "k8s_audit", "not a record")["detail"]
    assert house.audit.refused == {"not a record": 1}
    goes_on(house)


def test_the_place_of_a_broken_record_is_told_and_the_others_count(house: House) -> None:
    good = json.dumps(GOOD).encode()
    assert house.post(good + b"\n{broken}\n" + good.replace(b"good", b"more")) == 200
    assert told(house, "k8s_audit", "not a record")["at"].endswith(f"+{len(good) + 2}")  # behind the brace
    assert len(house.alerts) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"responseStatus": {"code": 10**400}},
        {"responseStatus": {"code": -(10**30)}},
        {"responseStatus": "no object", "user": {"groups": {"a": 1}}},
        {"requestObject": {"spec": {"containers": {"image": 7}}}},
        {"requestObject": [], "user": None, "objectRef": 3.5},
        {"kind": "Unheard", "stage": {"of": ["things"]}},
        {"stageTimestamp": "yesterday", "requestReceivedTimestamp": 12},
        {"stageTimestamp": "9999999-01-01T00:00:00Z"},
    ],
    ids=["huge", "negative", "texts", "object for list", "null", "unknown kind", "no time", "late"],
)
def test_values_that_do_not_fit_are_no_values(house: House, more: dict[str, Any]) -> None:
    assert house.post(json.dumps({**GOOD, **more}).encode()) == 200
    assert [alert.rule for alert in house.alerts] == ["asked"]
    assert house.audit.events == 1


def test_a_record_without_anything_is_an_event_of_no_rule(house: House) -> None:
    assert house.post(b"{}") == 200
    assert (house.audit.events, house.alerts) == (1, [])


def test_a_bomb_is_refused(house: House) -> None:
    assert house.post(gzip.compress(b"\0" * 50_000_000), content_encoding="gzip") == 413
    wait_until(lambda: bool(house.audit.refused))
    assert told(house, "k8s_audit", "too large")["detail"] == "more than 1000000 bytes when unpacked"
    goes_on(house)


def test_a_wrong_signature_is_refused(house: House) -> None:
    assert house.delivery({"zen": "x"}, X_Hub_Signature_256="sha256=" + "0" * 64).status_code == 401
    told(house, "github", "wrong signature")
    assert house.github.refused == {"wrong signature": 1}


def test_a_delivery_that_is_sent_again_gives_one_alert(house: House) -> None:
    event = {"repository": {"private": False, "updated_at": "2026-01-31T10:00:00Z"}}
    assert [house.delivery(event).status_code for _ in range(2)] == [200, 200]
    assert len(house.alerts) == 1
    told(house, "github", "replayed")


def test_a_delivery_that_is_no_object_is_refused(house: House) -> None:
    assert house.delivery(["no", "object"]).status_code == 400  # type: ignore[arg-type]
    told(house, "github", "not understood")
