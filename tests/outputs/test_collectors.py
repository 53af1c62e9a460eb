"""OpenTelemetry collectors take logs, spans and counters over HTTP and gRPC; Apprise passes alerts on."""

import dataclasses
import json
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from eyas.delivery import Answer, Outcome, Sender, delivered
from eyas.delivery.http import HttpSender
from eyas.outputs import prometheus
from eyas.outputs.body import event, otlp
from eyas.outputs.card import find, plan
from eyas.outputs.settings import load, settings_of
from tests.outputs.cases import ALERT
from tests.outputs.servers import certificates, free_port
from tests.outputs.service import Service
from tests.outputs.test_hostile import WORST

OTHER = dataclasses.replace(ALERT, rule="Second rule", priority="Debug", eyas={"id": "second"})
HOSTILE = dataclasses.replace(WORST, ts=ALERT.ts)
ALERTS = [ALERT, OTHER, ALERT, HOSTILE]


class Collector:
    """A gRPC server that keeps what it is sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, dict[str, str]]] = []
        self.code: grpc.StatusCode | None = None
        self.says = b""
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        collector = self

        class Anything(grpc.GenericRpcHandler):
            def service(self, details: Any) -> Any:
                head = {
                    key: value for key, value in details.invocation_metadata if not key.startswith("grpc")
                }

                def take(body: bytes, context: Any) -> bytes:
                    collector.seen.append((details.method, body, head))
                    if collector.code is not None:
                        context.abort(collector.code, "told so")
                    return collector.says

                return grpc.unary_unary_rpc_method_handler(take)

        self.server.add_generic_rpc_handlers((Anything(),))


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    made = Collector()
    port = made.server.add_insecure_port("127.0.0.1:0")
    made.server.start()
    yield made, f"http://127.0.0.1:{port}"
    made.server.stop(None).wait()


def opened(name: str, values: dict[str, object]) -> tuple[Sender, Any]:
    card = find(name)
    settings = settings_of(card, values)
    return (card.open(settings) if card.open else None) or HttpSender(settings.trust), settings


def sent(name: str, values: dict[str, object]) -> list[Answer]:
    sender, settings = opened(name, values)
    try:
        return list(sender.send(plan(find(name), ALERTS, settings)))
    finally:
        sender.close()


def check_logs(body: bytes) -> None:
    (resource,) = ExportLogsServiceRequest.FromString(body).resource_logs
    assert resource.resource.attributes[0].value.string_value == "falco"
    records = resource.scope_logs[0].log_records
    assert [record.body.string_value for record in records] == [event.output(alert) for alert in ALERTS]
    assert [record.severity_text for record in records] == ["Critical", "Debug", "Critical", "Critical"]
    told = {one.key: one.value for one in records[0].attributes}
    assert told["rule"].string_value == ALERT.rule and told["proc.pid"].int_value == 4711


def check_traces(body: bytes) -> None:
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    spans = resource.scope_spans[0].spans
    assert [span.name for span in spans] == [event.plain(alert.rule) for alert in ALERTS]
    assert spans[0].trace_id == spans[1].trace_id != spans[3].trace_id
    assert spans[0].span_id == spans[2].span_id != spans[1].span_id
    assert spans[0].end_time_unix_nano - spans[0].start_time_unix_nano == 10**9


@pytest.mark.parametrize(("signal", "check"), [("logs", check_logs), ("traces", check_traces)])
def test_a_collector_takes_them_over_http(signal: str, check: Any) -> None:
    with Service() as service:
        values: dict[str, object] = {"endpoint": service.url, "headers": "x-key=a%20b"}
        assert sent(f"otlp.{signal}", values) == [delivered()]
        (seen,) = service.seen
    assert (seen.path, seen.headers["content-type"]) == (f"/v1/{signal}", "application/x-protobuf")
    assert seen.headers["x-key"] == "a b"
    check(seen.body)


@pytest.mark.parametrize(("signal", "check"), [("logs", check_logs), ("traces", check_traces)])
def test_a_collector_takes_them_over_grpc(signal: str, check: Any, collector: tuple[Collector, str]) -> None:
    server, url = collector
    values: dict[str, object] = {"endpoint": url, "protocol": "grpc", "headers": "x-key=b"}
    assert sent(f"otlp.{signal}", values) == [delivered()]
    ((method, body, head),) = server.seen
    assert method.endswith("/Export") and head["x-key"] == "b"
    check(body)
    server.code = grpc.StatusCode.INVALID_ARGUMENT
    assert sent(f"otlp.{signal}", values)[0].outcome is Outcome.REFUSED
    server.code = grpc.StatusCode.UNAVAILABLE
    assert sent(f"otlp.{signal}", values)[0].outcome is Outcome.RETRY
    away = values | {"endpoint": f"http://127.0.0.1:{free_port()}", "timeout": 500}
    assert sent(f"otlp.{signal}", away)[0].outcome is Outcome.RETRY


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_counters_only_grow_and_count_what_arrived(protocol: str, collector: tuple[Collector, str]) -> None:
    server, url = collector
    with Service() as service:
        values: dict[str, object] = {
            "endpoint": url if protocol == "grpc" else service.url,
            "protocol": protocol,
        }
        sender, settings = opened("otlp.metrics", values)
        requests = plan(find("otlp.metrics"), ALERTS, settings)
        assert set(sender.send(requests)) == {delivered()}
        server.code, service.always = grpc.StatusCode.UNAVAILABLE, (503, {}, b"")
        assert {answer.outcome for answer in sender.send(requests)} == {Outcome.RETRY}
        server.code, service.always = None, (200, {}, b"")
        assert set(sender.send(requests)) == {delivered()}
        sender.close()
        bodies = (
            [body for _, body, _ in server.seen] if protocol == "grpc" else [one.body for one in service.seen]
        )
    assert [counted(body) for body in bodies] == [
        {"Write below etc": 2, "Second rule": 1},
        *[{"Write below etc": 4, "Second rule": 2}] * 2,
    ]


def counted(body: bytes) -> dict[str, int]:
    (metric,) = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == otlp.COUNTER and metric.sum.is_monotonic
    found = {}
    for point in metric.sum.data_points:
        told = {one.key: one.value.string_value for one in point.attributes}
        assert point.start_time_unix_nano <= point.time_unix_nano == ALERT.ts
        found[told["rule"]] = point.as_int
    found.pop(HOSTILE.rule, None)
    return {rule: count for rule, count in found.items() if rule in ("Write below etc", "Second rule")}


def test_grpc_shows_its_certificate_and_trusts_only_whom_it_knows(tmp_path: Path) -> None:
    files = certificates(tmp_path)
    server = Collector()
    pair = (Path(files.server_key).read_bytes(), Path(files.server_cert).read_bytes())
    credentials = grpc.ssl_server_credentials([pair], Path(files.authority).read_bytes(), True)
    port = server.server.add_secure_port("127.0.0.1:0", credentials)
    server.server.start()
    section = {"endpoint": f"https://localhost:{port}", "protocol": "grpc", "timeout": 3000}
    above = {key: str(value) for key, value in files.client.items() if key != "mutualtls"}
    known = {"mutualtlsclient": above, "otlp": {"logs": section | {"mutualtls": True}}}
    for values, outcome in ((known, Outcome.DELIVERED), ({"otlp": {"logs": section}}, Outcome.RETRY)):
        (one,) = load(values, {}).enabled
        assert one.output.open is not None
        sender = one.output.open(one.settings)
        assert sender is not None
        assert sender.send(plan(one.output, [ALERT], one.settings))[0].outcome is outcome
        sender.close()
    server.server.stop(None).wait()


def test_records_that_a_collector_does_not_take_are_refused(collector: tuple[Collector, str]) -> None:
    part = ExportLogsServiceResponse(partial_success={"rejected_log_records": 2, "error_message": "too old"})
    with Service(always=(200, {}, part.SerializeToString())) as service:
        card = find("otlp.logs")
        settings = settings_of(card, {"endpoint": service.url})
        (answer,) = HttpSender(settings.trust, card.judge).send(plan(card, ALERTS, settings))
    assert answer.outcome is Outcome.REFUSED and answer.reason.endswith("too old")
    server, url = collector
    server.says = part.SerializeToString()
    assert sent("otlp.logs", {"endpoint": url, "protocol": "grpc"})[0].outcome is Outcome.REFUSED


def test_only_what_happened_on_a_host_becomes_a_span() -> None:
    takes = find("otlp.traces").takes
    assert takes is not None and takes(ALERT)
    assert not takes(dataclasses.replace(ALERT, source="okta"))


def test_the_trace_is_that_of_its_pod() -> None:
    # FNV-1a with 128 bits of the empty text is its basis, http://www.isthe.com/chongo/tech/comp/fnv/
    assert otlp.trace_id(ALERT) == otlp.trace_id(OTHER)
    elsewhere = dataclasses.replace(ALERT, fields={"container.id": "3ad7b26ded6d"})
    assert otlp.trace_id(elsewhere) not in (otlp.trace_id(ALERT), bytes(16))


def test_apprise_passes_alerts_on() -> None:
    with Service() as service:
        values: dict[str, object] = {"urls": service.url.replace("http", "json", 1) + "/key"}
        sender, settings = opened("apprise", values)
        assert sender.send(plan(find("apprise"), [ALERT, HOSTILE], settings)) == [delivered()] * 2
        service.always = (500, {}, b"")
        assert sender.send(plan(find("apprise"), [ALERT], settings))[0].outcome is Outcome.RETRY
        first = json.loads(service.seen[0].body)
    assert first["title"] == "Critical: Write below etc" and first["type"] == "failure"
    assert first["message"].startswith(event.output(ALERT))


def test_an_address_that_apprise_does_not_know_is_a_fault_without_the_secret() -> None:
    from eyas.errors import UsageError

    with pytest.raises(UsageError) as error:
        opened("apprise", {"urls": "nothing://secret"})
    assert "secret" not in str(error.value)


def test_the_counter_for_prometheus_is_bounded_whatever_labels_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MOST", 3)
    counts = prometheus.Counts()
    settings = settings_of(find("prometheus"), {"enabled": True})
    for number in range(9):
        counts.send([prometheus.request(dataclasses.replace(ALERT, rule=f"rule {number}"), settings)])
    (family,) = counts.collect()
    assert sum(sample.value for sample in family.samples) == 9
    assert len(family.samples) == 4
    assert family.samples[-1].labels["rule"] == "other"
