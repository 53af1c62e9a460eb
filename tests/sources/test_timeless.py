"""Records that say no time, or nonsense for one: judged, counted, told; and what is asked next is not led astray."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from eyas import rules
from eyas.errors import PassingError
from eyas.intake import Judge
from eyas.rules import document
from eyas.sources import members, okta
from eyas.transports.parcel import Parcel
from tests.service import Asked, Says, service
from tests.sources.test_services import fed
from tests.transports.conftest import Running

NONSENSE: tuple[Any, ...] = (None, True, 10**30, -5, "yesterday", "", [], {"a": 1}, "9999-99-99T00:00:00Z")
GOOD: dict[str, dict[str, Any]] = {
    "aws_cloudtrail": {"eventType": "AwsApiCall", "eventTime": "2026-01-31T10:00:00Z", "eventID": "1"},
    "k8s_audit": {"auditID": "1", "verb": "get", "stageTimestamp": "2026-01-31T10:00:00Z",
                  "requestReceivedTimestamp": "2026-01-31T10:00:00Z"},
    "github": {"webhook_type": "audit_log", "@timestamp": 1_769_853_600_000, "action": "x"},
    "okta": {"uuid": "1", "published": "2026-01-31T10:00:00.000Z", "eventType": okta.FAILED,
             "outcome": {"result": "FAILURE"}, "actor": {"id": "u"}},
    "gcp_auditlog": {"insertId": "1", "timestamp": "2026-01-31T10:00:00Z"},
    "azure": {"time": "2026-01-31T10:00:00Z", "category": "SignInLogs"},
    "slack": {"event_time": 1_769_853_600, "event": {"type": "message"}},
    "syslog": {"time": "2026-01-31T10:00:00Z", "message": "x"},
    "journal": {"__REALTIME_TIMESTAMP": "1769853600000000", "MESSAGE": "x", "__CURSOR": "1"},
    "json": {"time": "2026-01-31T10:00:00Z", "n": 1},
}  # fmt: skip
TIMES = ("eventTime", "stageTimestamp", "requestReceivedTimestamp", "@timestamp", "published", "timestamp", "time",
         "event_time", "__REALTIME_TIMESTAMP")  # fmt: skip
JUST_NOW = 1_700_000_000 * 10**9


def judge(source: str) -> Judge:
    rule = (
        f"- {{rule: any, desc: d, condition: json.obj exists, output: o, priority: NOTICE, source: {source}}}"
    )
    loaded = rules.load_documents([document.parse("r.yaml", rule)], members.known(), rules.Settings())
    found = members.find(source)
    assert found is not None
    return Judge(found, loaded.active, members.known())


def test_the_table_names_every_source() -> None:
    assert tuple(GOOD) == members.MEMBERS


@pytest.mark.parametrize("source", GOOD)
def test_a_record_without_a_time_is_judged_and_counted(source: str) -> None:
    own = judge(source)
    good = GOOD[source]
    timeless = {key: value for key, value in good.items() if key not in TIMES}
    odd = [{**timeless, **{key: value for key in good if key in TIMES}} for value in NONSENSE]
    for record in (timeless, *odd):
        found = own.judge(Parcel(json.dumps(record).encode(), "x"))
        assert (found.events, found.untimed, found.refusals, len(found.alerts)) == (1, 1, [], 1), record
        assert found.alerts[0].ts > JUST_NOW
    all_of_them = "\n".join(map(json.dumps, (good, timeless, *odd, good))).encode()
    found = own.judge(Parcel(all_of_them, "x"))
    assert (found.events, found.untimed, found.untimed_at is not None) == (len(odd) + 3, len(odd) + 1, True)
    assert {alert.ts for alert in found.alerts} == {1_769_853_600 * 10**9}


def test_a_broken_line_of_okta_leaves_the_others() -> None:
    good = GOOD["okta"]
    lines = (
        good,
        {**good, "n": 10**30},
        {**good, "n": "\ud800"},
        7,
        {**good, "uuid": 5, "actor": "u", "outcome": []},
    )
    text = "\n".join(
        (*map(json.dumps, lines), '{"uuid": 1', "[" * 9000, json.dumps([good, None]), "")
    ).encode()
    found = judge("okta").judge(Parcel(text, "x"))
    assert (found.events, len(found.refusals)) == (5, 4)


def test_failures_without_a_time_count_when_they_came() -> None:
    event = {"eventType": okta.FAILED, "outcome": {"result": "FAILURE"}, "actor": {"id": "u"}}
    page = json.dumps([event, {**event, "published": 5}, None]).encode()
    made = json.loads(okta.counted(page, okta.Memory(), "acme", 7_000))
    assert [one and one["eyas"]["failures"] for one in made] == [[7_000], [7_000, 7_000], None]


def github_page(time: Any) -> dict[str, Any]:
    return {"@timestamp": time, "_document_id": str(time), "action": "x"}


def azure_page(time: Any) -> dict[str, Any]:
    return {"id": str(time), "createdDateTime": time}


def slack_page(time: Any) -> dict[str, Any]:
    return {"id": str(time), "date_create": time, "action": "x"}


@contextmanager
def polled(source: str, records: list[Any] | bytes) -> Iterator[Running]:
    """A source whose service has one page."""

    def answer(asked: Asked) -> Says:
        if asked.method == "POST":
            return Says({"access_token": "t", "expires_in": 3600})
        if isinstance(records, bytes):
            return Says(records)
        return Says(records if source == "github" else {"value": records, "entries": records})

    sections: dict[str, dict[str, Any]] = {
        "github": {"via": "poll", "organization": "acme", "token": "t"},
        "azure": {"via": "signins", "tenant": "t", "client": "c", "secret": "s"},
        "slack": {"via": "poll", "token": "t"},
    }
    with service(answer) as made:
        more = {"login": made.url} if source == "azure" else {}
        mark = None if source == "slack" else "2026-01-31T09:00:00Z"
        with fed(source, mark, api=made.url, interval=0.01, **sections[source], **more) as run:
            yield run


@pytest.mark.parametrize(
    ("source", "make", "good", "late", "mark"),
    [
        ("github", github_page, 1_769_853_600_000, 9_999_999_999_999, "2026-01-31T10:00:00.000Z"),
        ("azure", azure_page, "2026-01-31T10:00:00Z", "9999-01-01T00:00:00Z", "2026-01-31T10:00:00Z"),
        ("slack", slack_page, 1_769_853_600, 99_999_999_999, None),
    ],
)
def test_times_of_nonsense_do_not_move_where_a_service_is_asked_next(
    source: str, make: Any, good: Any, late: Any, mark: Any
) -> None:
    lacking = {
        key: value
        for key, value in make(good).items()
        if key not in ("@timestamp", "createdDateTime", "date_create")
    }
    records = [make(good), lacking, make(late), *map(make, NONSENSE), None, 7]
    with polled(source, records) as run:
        first, second = run.next(), run.next()
    found = judge(source).judge(first)
    assert first.body == second.body
    assert (found.events, len(found.refusals)) == (len(records) - 2, 2)
    if source == "slack":
        assert run.mark["newest"] < 9_999_999_999  # the moment of the start
    else:
        assert (run.mark["newest"] if source == "azure" else run.mark) == mark


@pytest.mark.parametrize("source", ["github", "azure", "slack"])
def test_an_answer_that_is_no_page_is_asked_for_again(source: str) -> None:
    with polled(source, b"<html>maintenance</html>") as run, pytest.raises(PassingError, match="no page"):
        run.next()
