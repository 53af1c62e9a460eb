"""Receivers that exist only as services: a strict server checks what it gets and answers with their own errors."""

import dataclasses
import json

import pytest

from eyas.delivery import Outcome, Request, delivered
from eyas.delivery.http import HttpSender
from eyas.outputs import OUTPUTS
from eyas.outputs.card import find, plan
from eyas.outputs.settings import settings_of
from tests.outputs.cases import ALERT, CASES
from tests.outputs.schemas import CONTRACTS
from tests.outputs.service import Seen, Service
from tests.outputs.test_hostile import LONG, WORST

HOSTILE = [dataclasses.replace(alert, ts=ALERT.ts) for alert in (WORST, LONG)]

# Covered by servers of their own, in the files beside this one.
REAL = {
    "influxdb", "statsd", "dogstatsd", "prometheus", "wavefront", "timescaledb", "alertmanager", "syslog", "logstash",
    "aws.cloudwatchlogs", "aws.s3", "yandex.s3", "aws.securitylake", "aws.lambda", "aws.sqs", "aws.sns", "aws.kinesis",
    "yandex.datastreams", "gcp.storage", "gcp.pubsub", "gcp.chronicle", "gcp.cloudfunctions", "nats", "stan", "kafka",
    "rabbitmq", "mqtt", "redis", "smtp", "azure.eventhub", "policyreport", "otlp.logs", "otlp.metrics", "otlp.traces",
    "apprise",
}  # fmt: skip


def test_every_receiver_is_met() -> None:
    assert set(CONTRACTS) | REAL == set(OUTPUTS)
    assert not set(CONTRACTS) & REAL


def requests(name: str, alerts: list[object], service: Service) -> list[Request]:
    card = find(name)
    made = plan(card, alerts, settings_of(card, CASES[name][""]))  # type: ignore[arg-type]
    return [service.moved(request) for request in made]


def sender(name: str) -> HttpSender:
    card = find(name)
    return HttpSender(settings_of(card, CASES[name][""]).trust, card.judge)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_service_takes_the_request(name: str) -> None:
    contract = CONTRACTS[name]
    with Service() as service:
        link = sender(name)
        assert set(link.send(requests(name, [ALERT], service))) == {delivered()}
        link.close()
        (seen,) = service.seen
    assert (seen.path or "/") == contract.path
    assert {key: seen.headers[key] for key in contract.headers} == contract.headers
    assert int(seen.headers["content-length"]) == len(seen.body)
    contract.check(seen.plain)


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("alert", HOSTILE, ids=["hostile", "long"])
def test_the_service_takes_what_an_attacker_wrote(name: str, alert: object) -> None:
    with Service() as service:
        link = sender(name)
        sent = requests(name, [alert], service)
        assert set(link.send(sent)) == {delivered()}
        link.close()
        for request, seen in zip(sent, service.seen, strict=True):
            assert seen.body == request.body
            for key, value in request.headers.items():
                assert seen.headers[key.lower()] == value
            CONTRACTS[name].check(seen.plain)


@pytest.mark.parametrize(
    ("name", "status", "said", "meaning"),
    [(name, *error) for name, contract in CONTRACTS.items() for error in contract.errors],
)
def test_the_answer_of_the_service_has_its_meaning(
    name: str, status: int, said: str, meaning: Outcome
) -> None:
    with Service(always=(status, {"Retry-After": "3"}, b"" if status == 204 else said.encode())) as service:
        link = sender(name)
        (answer,) = link.send(requests(name, [ALERT], service))
        link.close()
    assert answer.outcome is meaning
    if meaning is Outcome.RETRY:
        assert answer.after == 3.0
    if meaning is not Outcome.DELIVERED:
        assert answer.reason.startswith(f"HTTP {status}")


def test_opsgenie_and_pagerduty_and_oncall_take_alerts_back() -> None:
    expected = {
        "opsgenie": "/v2/alerts/537bb2cd-717e-4f57-be9e-f99125216f00/close",
        "pagerduty": "/v2/enqueue",
        "grafanaoncall": "/integrations/v1/formatted_webhook/key/",
    }
    for name, path in expected.items():
        card = find(name)
        assert card.resolve is not None
        with Service(always=(202, {}, b"")) as service:
            link = sender(name)
            (made,) = card.resolve(ALERT, settings_of(card, CASES[name][""]))
            assert link.send([service.moved(made)]) == [delivered()]
            link.close()
            (seen,) = service.seen
        assert seen.path == path
        if name == "pagerduty":
            body = json.loads(seen.body)
            assert body == {
                "routing_key": "key",
                "event_action": "resolve",
                "dedup_key": "537bb2cd-717e-4f57-be9e-f99125216f00",
            }


@pytest.mark.parametrize(
    ("name", "status", "said", "outcome", "after"),
    [
        ("teams", 200, "Webhook message delivery failed with error: HTTP error 429", Outcome.RETRY, None),
        ("teams", 200, "1", Outcome.DELIVERED, None),
        ("telegram", 429, '{"ok": false, "parameters": {"retry_after": 17}}', Outcome.RETRY, 17.0),
        ("telegram", 429, "no JSON", Outcome.RETRY, None),
    ],
)
def test_what_the_status_does_not_tell_the_body_does(
    name: str, status: int, said: str, outcome: Outcome, after: float | None
) -> None:
    with Service(always=(status, {}, said.encode())) as service:
        link = sender(name)
        (answer,) = link.send(requests(name, [ALERT], service))
        link.close()
    assert (answer.outcome, answer.after) == (outcome, after)


class Bulk(Service):
    """Elasticsearch, as far as a bulk request goes; one rule does not fit its mapping, one finds it busy."""

    def reply(self, seen: Seen) -> tuple[int, dict[str, str], bytes]:
        rows = [json.loads(row) for row in seen.plain.splitlines()]
        items = []
        for action, document in zip(rows[::2], rows[1::2], strict=True):
            ((verb, where),) = action.items()
            status = {"wrong": 400, "busy": 429, "again": 409}.get(document["rule"], 201)
            items.append({verb: {**where, "status": status, "error": {"type": document["rule"]}}})
        failed = any(next(iter(item.values()))["status"] >= 300 for item in items)
        return 200, {}, json.dumps({"errors": failed, "items": items}).encode()


@pytest.mark.parametrize(
    ("rules", "meaning"),
    [
        (("a", "b"), Outcome.DELIVERED),
        (("a", "again"), Outcome.DELIVERED),
        (("a", "wrong"), Outcome.REFUSED),
        (("wrong", "busy", "a"), Outcome.RETRY),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_elasticsearch_takes_documents_in_bulk(
    rules: tuple[str, ...], meaning: Outcome, stream: bool
) -> None:
    card = find("elasticsearch")
    with Bulk() as service:
        settings = settings_of(
            card, {"hostport": service.url, "datastream": stream, "enablecompression": True}
        )
        alerts = [dataclasses.replace(ALERT, rule=rule, eyas={"id": rule}) for rule in rules]
        (request,) = plan(card, alerts, settings)
        (answer,) = HttpSender(settings.trust, card.judge).send([request])
        (seen,) = service.seen
    assert answer.outcome is meaning
    assert seen.path == "/_bulk" and seen.headers["content-type"] == "application/x-ndjson"
    ((verb, where),) = json.loads(seen.plain.splitlines()[0]).items()
    assert (verb, where["_index"]) == (("create", "falco") if stream else ("index", "falco-2023.11.14"))


def test_elasticsearch_gets_its_template_and_a_field_that_does_not_fit_is_left_out() -> None:
    card = find("elasticsearch")
    settings = settings_of(card, {"hostport": "http://e:9200", "datastream": True, "numberofshards": 1})
    assert card.prepare is not None and card.mend is not None
    (template,) = card.prepare(settings)
    assert (template.method, template.url) == ("PUT", "http://e:9200/_index_template/falco")
    body = json.loads(template.body)
    assert body["data_stream"] == {} and body["index_patterns"] == ["falco"]
    request = card.request(ALERT, settings)
    said = b'{"error":{"type":"document_parsing_exception","reason":"failed to parse field [output_fields.proc.pid] of"}}'
    mended = card.mend(request, said)
    assert mended is not None
    before, after = json.loads(request.body), json.loads(mended.body)
    assert set(before["output_fields"]) - set(after["output_fields"]) == {"proc.pid"}
    assert card.mend(request, b'{"error":{"type":"other"}}') is None


@pytest.mark.parametrize("name", ["quickwit", "spyderbat"])
def test_what_has_to_be_there_first_is_made(name: str) -> None:
    card = find(name)
    settings = settings_of(
        card, {**CASES[name][""], **({"autocreateindex": True} if name == "quickwit" else {})}
    )
    assert card.prepare is not None
    (request,) = card.prepare(settings)
    paths = {
        "quickwit": "http://quickwit:7280/api/v1/indexes",
        "spyderbat": "https://api.spyderbat.com/api/v1/org/org-1/source/",
    }
    assert request.url == paths[name]
    assert "falco" in str(json.loads(request.body))


def test_a_signed_webhook_can_be_checked() -> None:
    import hashlib
    import hmac

    card = find("webhook")
    request = card.request(ALERT, settings_of(card, CASES["webhook"]["signed"]))
    digest = hmac.new(b"quiet", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Eyas-Signature"] == f"sha256={digest}"


def test_the_same_alert_is_told_with_the_same_id_everywhere() -> None:
    for name in ("opsgenie", "pagerduty", "elasticsearch", "cloudevents", "grafanaoncall"):
        card = find(name)
        request = card.request(ALERT, settings_of(card, CASES[name][""]))
        text = request.url + request.body.decode() + str(request.headers)
        assert "537bb2cd-717e-4f57-be9e-f99125216f00" in text
