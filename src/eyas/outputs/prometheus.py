"""Prometheus: a counter of alerts at `/metrics`, under the name that Falcosidekick's dashboards read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered
from eyas.outputs.body import event
from eyas.outputs.body.labels import label
from eyas.outputs.body.markup import cut, line
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import Items, Map, rank

NAME = "falcosecurity_falcosidekick_falco_events"
LABEL = 256  # characters of a value
MOST = 10_000  # combinations of labels; names of pods and rules may be a stranger's, and each costs memory
OTHER = "other"


class PrometheusSettings(Settings):
    """Keys below `prometheus`."""

    needs = ("enabled",)
    shared = ("customfields", "templatedfields")
    enabled: bool
    extralabels: Items = []
    customfields: Map = {}
    templatedfields: Map = {}


def request(alert: Alert, settings: PrometheusSettings) -> Request:
    """One count, as its labels."""
    found = event.texts(alert)
    names = [*settings.customfields, *settings.templatedfields, *settings.extralabels]
    labels = {
        "hostname": alert.hostname or "unknown",
        "rule": alert.rule,
        "priority": str(rank(alert.priority) + 1),
        "priority_raw": alert.priority.lower(),
        "source": event.source(alert),
        "k8s_ns_name": found.get("k8s.ns.name", ""),
        "k8s_pod_name": found.get("k8s.pod.name", ""),
    }
    more = {label(name): found.get(name, "") for name in names if label(name)}
    shown = {name: cut(line(value), LABEL) for name, value in (more | labels).items()}
    return Request("COUNT", f"metric:{NAME}_total", {}, event.encode(shown))


class Counts:
    """Counts by labels, for whoever scrapes."""

    def __init__(self) -> None:
        self.counts: dict[tuple[tuple[str, str], ...], int] = {}

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Count."""
        for request in batch:
            labels = tuple(orjson.loads(request.body).items())
            if labels not in self.counts and len(self.counts) >= MOST:
                labels = tuple((name, OTHER) for name, _ in labels)
            self.counts[labels] = self.counts.get(labels, 0) + 1
        return [delivered() for _ in batch]

    def collect(self) -> Iterator[Any]:
        """The counter, as the Prometheus client asks for it."""
        from prometheus_client.core import CounterMetricFamily

        family = CounterMetricFamily(NAME, "Alerts by rule, priority and where they came from.")
        for labels, count in list(self.counts.items()):
            family.samples.append(_sample(dict(labels), count))
        yield family

    def close(self) -> None:
        """Take the counter out of what is scraped."""
        from prometheus_client import REGISTRY

        REGISTRY.unregister(self)


def _sample(labels: dict[str, str], count: int) -> Any:
    from prometheus_client.samples import Sample

    return Sample(f"{NAME}_total", labels, count)


def open_counts(settings: PrometheusSettings) -> Sender:
    """A counter in the registry that `/metrics` shows."""
    from prometheus_client import REGISTRY

    counts = Counts()
    REGISTRY.register(counts)
    return counts


OUTPUT = Output(
    "prometheus",
    "Prometheus: a counter of alerts at /metrics",
    PrometheusSettings,
    request,
    open=open_counts,
    batch=500,
    counts=True,
)
