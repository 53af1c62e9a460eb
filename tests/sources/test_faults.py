"""Services that fail in every way that passes, while Eyas is stopped and started: nothing is lost, nothing comes twice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from eyas import rules
from eyas.alert import Alert
from eyas.intake import Intake, configured, judges
from eyas.rules import document
from eyas.sources import members
from eyas.sources.reach import github, slack
from eyas.transports import signature
from eyas.transports.checkpoint import Checkpoints
from tests.service import Says, service
from tests.sources import strict
from tests.transports.conftest import wait_until

EVENTS = 20
MARKS: dict[str, Any] = {
    "okta": None,
    "github": "2025-12-31T09:00:00.000Z",
    "slack": {"since": 1_767_200_000, "newest": 1_767_200_000},
    "entra": "2025-12-31T09:00:00.000Z",
    "activity": "2025-12-31T09:00:00.000Z",
}


@contextmanager
def intake(section: dict[str, Any], store: Checkpoints, alerts: list[Alert]) -> Iterator[Intake]:
    """A run of one source with a rule that holds for every event."""
    source = section["source"]
    rule = f"- {{rule: any, desc: d, condition: json.obj exists, output: '%json.obj', priority: NOTICE, source: {source}}}"
    loaded = rules.load_documents([document.parse("r.yaml", rule)], members.known(), rules.Settings())
    run = Intake(
        configured({"x": section}), judges([source], loaded.active, members.known()), store, alerts.extend
    )
    thread = threading.Thread(target=run.run)
    thread.start()
    try:
        yield run
    finally:
        run.stop()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.transports.patience.FIRST", 0.01)
    monkeypatch.setattr("eyas.intake.running.PAUSES", (0.01,))


def found(alerts: list[Alert]) -> Counter[str]:
    events = [json.loads(alert.message) for alert in alerts]
    names = ("uuid", "_document_id", "eventDataId", "id")
    return Counter(next(str(event[name]) for name in names if name in event) for event in events)


@pytest.mark.parametrize("name", strict.SERVICES)
def test_nothing_is_lost_and_nothing_comes_twice(name: str, tmp_path: Path) -> None:
    server = strict.SERVICES[name][0]()
    alerts: list[Alert] = []
    store = Checkpoints(tmp_path / "checkpoints.db")
    store.commit("x", MARKS[name])
    with service(server) as running:
        section = strict.section(name, running.url)
        for _ in range(3):
            server.happen(EVENTS // 4)
            server.faults = [*strict.faults(), None, Says(status=429, headers={"Retry-After": "60"})]
            with intake(section, store, alerts) as run:  # ended between two pages
                wait_until(lambda: not server.faults and run.statuses[0].events > 0)
            assert run.statuses[0].retries >= 6
        server.happen(EVENTS // 4)
        with intake(section, store, alerts):
            wait_until(lambda: len(found(alerts)) == EVENTS)
            server.happen(1)
            wait_until(lambda: len(found(alerts)) == EVENTS + 1)
    store.close()
    assert server.wrong == []
    assert found(alerts) == Counter(str(number) for number in range(EVENTS + 1))
    if isinstance(server, strict.Microsoft):
        assert server.issued > 3  # tokens ran out


def deliver(url: str, scheme: signature.Scheme, body: dict[str, Any], time: str = "", **headers: str) -> int:
    raw = json.dumps(body).encode()
    signed = {scheme.header: signature.sign(scheme, "shared", raw, time)}
    if scheme.time_header:
        signed[scheme.time_header] = time
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/json"}
    return httpx.post(url, content=raw, headers={**kind, **signed, **named}, timeout=30).status_code


def test_an_event_that_slack_sends_again_is_one(tmp_path: Path) -> None:
    store, alerts = Checkpoints(tmp_path / "checkpoints.db"), list[Alert]()
    scheme = slack.RECEPTION.scheme
    assert scheme is not None
    now = int(time.time())
    events = [
        {
            "type": "event_callback",
            "event_id": f"Ev{n}",
            "event_time": now,
            "event": {"type": "message", "n": n},
        }
        for n in range(3)
    ]
    section = {"source": "slack", "via": "http", "listen": "127.0.0.1:0", "secret": "shared"}
    for start in range(2):
        with intake(section, store, alerts) as run:
            status = run.statuses[0]
            wait_until(lambda status=status: status.state == "running")  # type: ignore[misc]
            for event in events:
                for again in range(3):
                    sent = (
                        {"X-Slack-Retry-Num": str(again), "X-Slack-Retry-Reason": "http_timeout"}
                        if again
                        else {}
                    )
                    assert deliver(status.where, scheme, event, str(now - again - 3 * start), **sent) == 200
    store.close()
    assert len(alerts) == len(events)


def test_a_push_is_judged_without_its_diff_while_the_interface_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, alerts = Checkpoints(tmp_path / "checkpoints.db"), list[Alert]()
    scheme = github.RECEPTION.scheme
    assert scheme is not None
    repository = {"full_name": "acme/shop", "default_branch": "main"}
    push = {"before": "1", "after": "2", "ref": "refs/heads/main", "repository": repository}
    section = {
        "source": "github",
        "via": "http",
        "listen": "127.0.0.1:0",
        "secret": "shared",
        "api_token": "t",
    }
    answers = [Says(status=503), Says(b""), *[Says(status=502)] * 100]
    with service(lambda _: answers.pop(0)) as api, intake({**section, "api": api.url}, store, alerts) as run:
        status = run.statuses[0]
        wait_until(lambda: status.state == "running")
        for number, within in (("1", 60), ("2", 0.05)):
            monkeypatch.setattr("eyas.sources.reach.github.WITHIN", within)
            assert (
                deliver(
                    status.where,
                    scheme,
                    {**push, "n": number},
                    X_GitHub_Event="push",
                    X_GitHub_Delivery=number,
                )
                == 200
            )
    store.close()
    assert ["files" in json.loads(alert.message) for alert in alerts] == [True, False]
    assert status.refused == {"contents not read": 1}
