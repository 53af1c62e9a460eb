"""Alerts as messages of OpenTelemetry's protocol: log records, spans and points of a counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyas.alert import Alert
from eyas.outputs.body import event
from eyas.outputs.card import library

# Numbers of https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
SEVERITIES = {
    "debug": 5,
    "informational": 9,
    "notice": 10,
    "warning": 13,
    "error": 17,
    "critical": 18,
    "alert": 19,
    "emergency": 21,
}
COUNTER = "falcosecurity_falco_rules_matches_total"
SERVICE = "falco"
_PRIME, _BASIS = 0x0000000001000000000000000000013B, 0x6C62272E07BB014262B821756295C58D


def _kinds(what: str) -> Any:
    return library(f"opentelemetry.proto.{what}_pb2", "otlp")


def logs(alerts: Sequence[Alert]) -> bytes:
    """A request of the logs service."""
    service, kinds = _kinds("collector.logs.v1.logs_service"), _kinds("logs.v1.logs")
    records = [_record(kinds, alert) for alert in alerts]
    scope = kinds.ScopeLogs(scope=_scope("falco"), log_records=records)
    body = service.ExportLogsServiceRequest(
        resource_logs=[kinds.ResourceLogs(resource=_resource(), scope_logs=[scope])]
    )
    return bytes(body.SerializeToString(deterministic=True))


def traces(alerts: Sequence[Alert], duration: int) -> bytes:
    """A request of the trace service; spans last `duration` milliseconds."""
    service, kinds = _kinds("collector.trace.v1.trace_service"), _kinds("trace.v1.trace")
    spans = [_span(kinds, alert, duration) for alert in alerts]
    scope = kinds.ScopeSpans(scope=_scope("falco-event"), spans=spans)
    body = service.ExportTraceServiceRequest(
        resource_spans=[kinds.ResourceSpans(resource=_resource(), scope_spans=[scope])]
    )
    return bytes(body.SerializeToString(deterministic=True))


def point(alert: Alert, more: dict[str, str]) -> bytes:
    """One point of the counter, with the value 1."""
    kinds = _kinds("metrics.v1.metrics")
    values = {
        "source": event.source(alert),
        "priority": event.priority(alert),
        "rule": alert.rule,
        "hostname": alert.hostname or "unknown",
        "tags": event.tags(alert),
    }
    made = kinds.NumberDataPoint(
        attributes=_attributes(values | more),
        start_time_unix_nano=alert.ts,
        time_unix_nano=alert.ts,
        as_int=1,
    )
    return bytes(made.SerializeToString(deterministic=True))


def metrics(points: Sequence[Any]) -> bytes:
    """A request of the metrics service with points that count from the start."""
    service, kinds = _kinds("collector.metrics.v1.metrics_service"), _kinds("metrics.v1.metrics")
    total = kinds.Sum(
        data_points=points,
        aggregation_temporality=kinds.AGGREGATION_TEMPORALITY_CUMULATIVE,
        is_monotonic=True,
    )
    metric = kinds.Metric(name=COUNTER, description="Number of rules matched", sum=total)
    scope = kinds.ScopeMetrics(scope=_scope("falco"), metrics=[metric])
    body = service.ExportMetricsServiceRequest(
        resource_metrics=[kinds.ResourceMetrics(resource=_resource(), scope_metrics=[scope])]
    )
    return bytes(body.SerializeToString(deterministic=True))


def trace_id(alert: Alert) -> bytes:
    """The same for one pod, container or host: FNV-1a of 128 bits, as Falcosidekick has it."""
    found = event.texts(alert)
    pod = [found.get("k8s.ns.name", ""), found.get("k8s.pod.name", "")]
    container = found.get("container.id", "")
    key = ":".join(pod) if all(pod) else container if container not in ("", "host") else ""
    key = key or found.get("evt.hostname", "") or alert.hostname or alert.rule
    digest = _BASIS
    for byte in key.encode("utf-8", "replace"):
        digest = ((digest ^ byte) * _PRIME) & ((1 << 128) - 1)
    return digest.to_bytes(16, "big")


def _record(kinds: Any, alert: Alert) -> Any:
    values = {
        "priority": event.priority(alert),
        "source": event.source(alert),
        "rule": alert.rule,
        "hostname": alert.hostname,
        "tags": ",".join(event.tags(alert)),
        "timestamp": event.moment(alert),
    }
    return kinds.LogRecord(
        time_unix_nano=alert.ts,
        observed_time_unix_nano=alert.ts,
        severity_number=SEVERITIES.get(alert.priority.lower(), 21),
        severity_text=event.priority(alert),
        body=_value(event.output(alert)),
        attributes=_attributes(event.fields(alert) | values | {"uuid": event.identity(alert)}),
    )


def _span(kinds: Any, alert: Alert, duration: int) -> Any:
    values = {
        "uuid": event.identity(alert),
        "source": event.source(alert),
        "priority": event.priority(alert),
        "rule": alert.rule,
        "hostname": alert.hostname,
        "tags": event.tags(alert),
    }
    return kinds.Span(
        trace_id=trace_id(alert),
        span_id=bytes.fromhex(event.identity(alert).replace("-", ""))[:8],
        name=event.plain(alert.rule),
        kind=kinds.Span.SPAN_KIND_SERVER,
        start_time_unix_nano=alert.ts,
        end_time_unix_nano=alert.ts + duration * 10**6,
        attributes=_attributes(event.texts(alert) | values),
        events=[kinds.Span.Event(time_unix_nano=alert.ts, name=event.output(alert))],
    )


def _resource() -> Any:
    return _kinds("resource.v1.resource").Resource(attributes=_attributes({"service.name": SERVICE}))


def _scope(name: str) -> Any:
    return _kinds("common.v1.common").InstrumentationScope(name=name)


def _attributes(values: dict[str, Any]) -> list[Any]:
    kind = _kinds("common.v1.common").KeyValue
    return [kind(key=key, value=_value(value)) for key, value in values.items() if value not in (None, "")]


def _value(value: Any) -> Any:
    kinds = _kinds("common.v1.common")
    if isinstance(value, list):
        return kinds.AnyValue(array_value=kinds.ArrayValue(values=[_value(one) for one in value]))
    if isinstance(value, bool):
        return kinds.AnyValue(bool_value=value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return kinds.AnyValue(int_value=value)
    if isinstance(value, float):
        return kinds.AnyValue(double_value=value)
    return kinds.AnyValue(string_value=str(event.plain(event.text(value))))
