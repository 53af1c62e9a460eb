"""Feeds through the run loop: alerts once, in spite of repeats, restarts and failures."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from eyas import rules
from eyas.alert import Alert
from eyas.errors import PassingError, RunError
from eyas.intake import Feed, Intake, judges
from eyas.rules import document
from eyas.sources import members
from eyas.sources.reach.way import Way
from eyas.transports.checkpoint import Checkpoints
from eyas.transports.parcel import Link, Outcome, Parcel

RULE = """
- rule: everything
  desc: d
  condition: ka.verb exists
  output: "%ka.verb %ka.auditid"
  priority: NOTICE
  source: k8s_audit
"""


def event(number: int, **more: object) -> bytes:
    made = {"auditID": str(number), "verb": "get", "stage": "ResponseComplete"}
    return json.dumps({**made, "stageTimestamp": "2026-01-31T10:00:00.000000Z", **more}).encode()


@dataclass
class Script:
    """A transport that hands on what a test says. Its mark is the number of parcels that are safe."""

    parcels: list[Parcel | Exception]
    settled: list[Outcome] = field(default_factory=list)
    marks: list[object] = field(default_factory=list)

    def open(self, _: object, link: Link) -> Iterator[Parcel]:
        self.marks.append(link.mark)
        while self.parcels:
            one = self.parcels.pop(0)
            if isinstance(one, Exception):
                raise one
            yield one

    def feed(self, name: str = "k8s_audit", silent: float = 0.0) -> Feed:
        source = members.find("k8s_audit")
        assert source is not None
        return Feed(name, source, Way("script", "", object, self.open, lambda _: ""), None, silent)

    def parcel(self, body: bytes, **more: object) -> Parcel:
        return Parcel(body, "script", settle=self.settled.append, **more)  # type: ignore[arg-type]


def script(*bodies: bytes) -> Script:
    made = Script([])
    made.parcels = [made.parcel(body, mark=n) for n, body in enumerate(bodies, 1)]
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Checkpoints]:
    made = Checkpoints(tmp_path / "checkpoints.db")
    yield made
    made.close()


def run(store: Checkpoints, *feeds: Feed, sink: list[Alert] | None = None) -> list[Alert]:
    loaded = rules.load_documents([document.parse("r.yaml", RULE)], members.known(), rules.Settings())
    assert not loaded.errors
    raised: list[Alert] = [] if sink is None else sink
    known = judges([feed.source.name for feed in feeds], loaded.active, members.known())
    Intake(feeds, known, store, raised.extend).run()
    return raised


def messages(alerts: Sequence[Alert]) -> list[str]:
    return [alert.message for alert in alerts]


def test_alerts_come_in_order_and_the_mark_is_stored_after_them(store: Checkpoints) -> None:
    made = script(event(1), event(2))
    alerts = run(store, made.feed())
    assert messages(alerts) == ["get 1", "get 2"]
    assert alerts[0].source == "k8s_audit"
    assert alerts[0].eyas["feed"] == "k8s_audit"
    assert (store.mark("k8s_audit"), made.settled) == (2, [Outcome.SAFE] * 2)


def test_a_second_run_goes_on_at_the_mark(store: Checkpoints) -> None:
    run(store, script(event(1)).feed())
    again = script(event(2))
    run(store, again.feed())
    assert again.marks == [1]


def test_an_event_that_comes_again_raises_nothing_in_this_run_or_the_next(store: Checkpoints) -> None:
    assert messages(run(store, script(event(1) + event(1), event(1)).feed())) == ["get 1"]
    assert run(store, script(event(1)).feed()) == []
    assert messages(run(store, script(event(1, stageTimestamp="2026-01-31T10:00:01Z")).feed())) == ["get 1"]


def test_notes_for_a_trail_count_neither_as_alerts_nor_as_repeats(store: Checkpoints) -> None:
    note = RULE.replace("rule: everything", "rule: 'eyas activity: seen'") + "  tags: [eyas.activity]\n"
    read = rules.load_documents([document.parse("r.yaml", RULE + note)], members.known(), rules.Settings())
    known, raised = judges(["k8s_audit"], read.active, members.known()), list[Alert]()
    intake = Intake([script(event(1) * 3).feed()], known, store, raised.extend)
    intake.run()
    status = intake.statuses[0]
    assert (len(raised), status.events, status.alerts, status.repeated) == (2, 3, 1, 2)


def test_the_same_event_on_two_feeds_is_two(store: Checkpoints) -> None:
    assert len(run(store, script(event(1)).feed("one"), script(event(1)).feed("two"))) == 2


def test_an_event_without_a_time_is_judged_counted_and_known_by_its_id_when_it_comes_again(
    store: Checkpoints,
) -> None:
    timeless = b'{"auditID":"7","verb":"get"}\n'
    feed = script(event(1) + timeless, timeless).feed()
    loaded = rules.load_documents([document.parse("r.yaml", RULE)], members.known(), rules.Settings())
    raised: list[Alert] = []
    intake = Intake([feed], judges(["k8s_audit"], loaded.active, members.known()), store, raised.extend)
    with capture_logs() as lines:
        intake.run()
    assert messages(raised) == ["get 1", "get 7"]
    assert raised[0].ts == raised[1].ts
    assert (intake.statuses[0].untimed, intake.statuses[0].events) == (2, 3)
    assert [(line["event"], line["source"], line["at"]) for line in lines] == [
        ("judged at another time", "k8s_audit", f"script+{len(event(1))}"),
        ("judged at another time", "k8s_audit", "script+0"),
    ]
    assert run(store, script(timeless).feed()) == []


def test_equal_events_without_an_id_are_each_an_alert(store: Checkpoints) -> None:
    plain = b'{"verb":"get","stageTimestamp":"2026-01-31T10:00:00Z"}\n'
    assert len(run(store, script(plain * 3).feed())) == 3


@pytest.mark.parametrize("bad", [b"{", b"[" * 20_000, b'{"verb": \xff\xfe}', b"plain text"])
def test_nonsense_is_refused_with_its_place_and_the_rest_goes_on(store: Checkpoints, bad: bytes) -> None:
    made = script(bad, event(2))
    seen: list[Feed] = [made.feed()]
    loaded = rules.load_documents([document.parse("r.yaml", RULE)], members.known(), rules.Settings())
    raised: list[Alert] = []
    intake = Intake(seen, judges(["k8s_audit"], loaded.active, members.known()), store, raised.extend)
    intake.run()
    assert messages(raised) == ["get 2"]
    assert intake.statuses[0].refused["not a record"] >= 1
    assert made.settled == [Outcome.REFUSED, Outcome.SAFE]


def test_records_that_are_no_events_are_counted_with_the_place_of_the_first(store: Checkpoints) -> None:
    call = b'{"eventType":"AwsApiCall","eventTime":"2026-01-31T10:00:00Z"}\n'
    insight = call.replace(b"AwsApiCall", b"AwsCloudTrailInsight")
    made = script(call + insight + insight, call)
    source = members.find("aws_cloudtrail")
    assert source is not None
    one = Feed("trail", source, Way("script", "", object, made.open, lambda _: ""), None, 0.0)
    intake = Intake([one], judges([source.name], [], members.known()), store, list)
    with capture_logs() as lines:
        intake.run()
    assert (intake.statuses[0].events, dict(intake.statuses[0].refused)) == (2, {"no event": 2})
    assert [(line["source"], line["at"], line["detail"]) for line in lines] == [
        ("trail", f"script+{len(call)}", "an insight, or without eventType")
    ]
    assert made.settled == [Outcome.SAFE] * 2


def test_a_sink_that_fails_keeps_the_mark_back_until_it_works(store: Checkpoints, tmp_path: Path) -> None:
    made = script(event(1))
    loaded = rules.load_documents([document.parse("r.yaml", RULE)], members.known(), rules.Settings())
    failures = [RunError("disk full"), RunError("disk full")]
    marks: list[object] = []

    def sink(_: Sequence[Alert]) -> None:
        marks.append(store.mark("k8s_audit"))
        if failures:
            raise failures.pop()

    Intake([made.feed()], judges(["k8s_audit"], loaded.active, members.known()), store, sink).run()
    assert marks == [None, None, None]
    assert (store.mark("k8s_audit"), made.settled) == (1, [Outcome.SAFE])


def test_a_feed_that_fails_is_an_alert_and_is_opened_again(
    store: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyas.intake.running.PAUSES", (0.01,))
    made = Script([])
    made.parcels = [
        made.parcel(event(1), mark=1),
        RunError("no such bucket"),
        PassingError("busy"),
        made.parcel(event(2)),
    ]
    alerts = run(store, made.feed())
    assert sorted(messages(alerts)) == ["Source k8s_audit failed: no such bucket", "get 1", "get 2"]
    assert made.marks == [None, 1, 1]


def test_a_silent_feed_is_an_alert_once(store: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyas.intake.running.REPORT", 0.0)
    heard = threading.Event()

    def wait(_: object, link: Link) -> Iterator[Parcel]:
        link.status.started = time.time() - 100
        while not link.wait(0.01):
            pass
        yield from ()

    source = members.find("k8s_audit")
    assert source is not None
    feed = Feed("quiet", source, Way("wait", "", object, wait, lambda _: ""), None, silent=50.0)
    raised: list[Alert] = []

    def sink(alerts: Sequence[Alert]) -> None:
        raised.extend(alerts)
        heard.set()

    intake = Intake([feed], judges(["k8s_audit"], [], members.known()), store, sink)
    thread = threading.Thread(target=intake.run)
    thread.start()
    assert heard.wait(30)
    intake.stop()
    thread.join(30)
    assert [alert.rule for alert in raised] == ["Eyas: source silent"]
    assert store.reports()["quiet"]["state"] == "stopped"
