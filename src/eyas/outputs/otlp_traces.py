"""OpenTelemetry traces: the alert as a span of its pod, container or host."""

from collections.abc import Sequence

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import otlp
from eyas.outputs.card import Output
from eyas.outputs.wire.otlp import OtlpSettings, export, judge, open_grpc


class Settings(OtlpSettings):
    """Keys below `otlp.traces`."""

    ignored = ("synced",)  # every request waits for its answer
    duration: int = 1000


def request(alert: Alert, settings: Settings) -> Request:
    """One span."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many spans."""
    return [export("traces", otlp.traces(alerts, settings.duration), settings)]


def takes(alert: Alert) -> bool:
    """Only what happened on a host has a pod, container or host to belong to."""
    return alert.source in ("", "syscall", "syscalls")


OUTPUT = Output(
    "otlp.traces",
    "OpenTelemetry traces: a span for each alert",
    Settings,
    request,
    requests=requests,
    batch=200,
    open=open_grpc,
    judge=judge,
    takes=takes,
    libraries={"opentelemetry.proto": "otlp"},
)
