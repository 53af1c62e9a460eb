"""OpenTelemetry metrics: a counter of alerts that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Answer, Outcome, Request, Sender
from eyas.outputs.body import event, otlp
from eyas.outputs.body.labels import label
from eyas.outputs.card import Output, library
from eyas.outputs.values import Items, Map
from eyas.outputs.wire.otlp import OtlpSettings, export, open_any


class Settings(OtlpSettings):
    """Keys below `otlp.metrics`."""

    shared = ("customfields",)
    extraattributes: Items = []
    customfields: Map = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One count, as a point of the counter."""
    found = event.texts(alert)
    names = [*settings.customfields, "k8s.ns.name", "k8s.pod.name", *settings.extraattributes]
    more = {label(name): found.get(name, "") for name in names if label(name)}
    return Request("COUNT", settings.endpoint, {}, otlp.point(alert, more))


class Totals:
    """Adds points up and sends the totals: most stores want counters that only grow."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.kinds = library("opentelemetry.proto.metrics.v1.metrics_pb2", "otlp")
        self.inner = open_any(settings)
        self.totals: dict[bytes, Any] = {}

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Count only what arrives: a total that was not taken is taken back."""
        before = {key: (point.as_int, point.time_unix_nano) for key, point in self.totals.items()}
        for request in batch:
            self._add(self.kinds.NumberDataPoint.FromString(request.body))
        body = otlp.metrics(list(self.totals.values()))
        answer = self.inner.send([export("metrics", body, self.settings)])[0]
        if answer.outcome is not Outcome.DELIVERED:
            self._take_back(before)
        return [answer for _ in batch]

    def close(self) -> None:
        """Hang up."""
        self.inner.close()

    def _add(self, point: Any) -> None:
        when, point.start_time_unix_nano, point.time_unix_nano = point.time_unix_nano, 0, 0
        point.as_int = 0
        total = self.totals.setdefault(point.SerializeToString(deterministic=True), point)
        total.start_time_unix_nano = total.start_time_unix_nano or when
        total.time_unix_nano = max(total.time_unix_nano, when)
        total.as_int += 1

    def _take_back(self, before: dict[bytes, tuple[int, int]]) -> None:
        for key in list(self.totals):
            if key in before:
                self.totals[key].as_int, self.totals[key].time_unix_nano = before[key]
            else:
                del self.totals[key]


def open_totals(settings: Settings) -> Sender:
    """Totals since now."""
    return Totals(settings)


OUTPUT = Output(
    "otlp.metrics",
    "OpenTelemetry metrics: a counter of alerts",
    Settings,
    request,
    open=open_totals,
    batch=500,
    counts=True,
    libraries={"opentelemetry.proto": "otlp"},
)
