"""OpenTelemetry logs: the alert as a log record."""

from collections.abc import Sequence

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import otlp
from eyas.outputs.card import Output
from eyas.outputs.wire.otlp import OtlpSettings, export, judge, open_grpc


class Settings(OtlpSettings):
    """Keys below `otlp.logs`."""


def request(alert: Alert, settings: Settings) -> Request:
    """One record."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many records."""
    return [export("logs", otlp.logs(alerts), settings)]


OUTPUT = Output(
    "otlp.logs",
    "OpenTelemetry logs: a log record",
    Settings,
    request,
    requests=requests,
    batch=200,
    open=open_grpc,
    judge=judge,
    libraries={"opentelemetry.proto": "otlp"},
)
