"""Figures for Prometheus: those of Falco under their names, and ours about the store and every receiver."""

from __future__ import annotations

import os
import platform
import re
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from eyas import alert as alerts
from eyas.delivery import discard, journal, stored
from eyas.hub import machine
from eyas.hub.hub import Hub
from eyas.hub.sensor import NOW, Ask, Sensor, digests

HELP = "https://falco.org/docs/metrics/"
LEDGER = "What became of events: sent by the kernel side, lost because a ring was full, read to be judged."
_NAME = re.compile(r"[^A-Za-z0-9_:]")
# How Falco's metrics name the classes of events whose ring was full.
DROPS = ("clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc")


class Collector:
    """Answers a scrape."""

    def __init__(self, hub: Hub, ask: Ask | None, version: str) -> None:
        self._hub = hub
        self._ask = ask
        self._version = version
        self._load = machine.load()

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        yield from _program(self._hub, self._version)
        yield from self._machine()
        if self._ask is not None:
            yield from _sensor(self._ask())
        yield from _hub(self._hub)
        yield from _outputs(self._hub)

    def _machine(self) -> Iterator[Metric]:
        before, self._load = self._load, machine.load()
        yield _falco(GaugeMetricFamily, "falco_host_cpu_usage_ratio", machine.ratio(before, self._load))
        for name, value in machine.gauges():
            yield _falco(GaugeMetricFamily, name, value)

    def text(self) -> bytes:
        """The figures as Prometheus reads them; the counter of alerts by label if that output is on."""
        from prometheus_client import REGISTRY

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        own = generate_latest(registry)
        return (
            own + generate_latest(REGISTRY)
            if any(w.receiver.name == "prometheus" for w in self._hub.workers)
            else own
        )


def _falco(kind: type[Any], name: str, value: float | None = None, **labels: str) -> Metric:
    made: Metric = kind(f"falcosecurity_{name}", HELP, labels=list(labels))
    if value is not None:
        made.add_metric(list(labels.values()), value)  # type: ignore[attr-defined]
    return made


def _program(hub: Hub, version: str) -> Iterator[Metric]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    pages = Path("/proc/self/statm").read_text().split()
    size = os.sysconf("SC_PAGE_SIZE")
    up = max(0.001, time.time() - hub.started)
    yield _falco(GaugeMetricFamily, "falco_version_info", 1, version=version)
    yield _falco(GaugeMetricFamily, "falco_kernel_release_info", 1, kernel_release=platform.release())
    yield _falco(GaugeMetricFamily, "evt_hostname_info", 1, hostname=alerts.hostname())
    yield _falco(GaugeMetricFamily, "falco_start_timestamp_nanoseconds", int(hub.started * 1e9))
    yield _falco(CounterMetricFamily, "falco_duration_seconds", int(up))
    yield _falco(GaugeMetricFamily, "falco_host_num_cpus_total", os.cpu_count() or 1)
    yield _falco(CounterMetricFamily, "falco_outputs_queue_num_drops", sum(hub.writer.overflowed.values()))
    yield _falco(GaugeMetricFamily, "falco_cpu_usage_ratio", round((usage.ru_utime + usage.ru_stime) / up, 6))
    yield _falco(GaugeMetricFamily, "falco_memory_vsz_bytes", int(pages[0]) * size)
    yield _falco(GaugeMetricFamily, "falco_memory_rss_bytes", int(pages[1]) * size)


def _sensor(sensor: Sensor) -> Iterator[Metric]:
    yield _falco(
        GaugeMetricFamily, "scap_engine_name_info", 1, engine_name=sensor.engine, evt_source="syscall"
    )
    yield _falco(CounterMetricFamily, "scap_n_evts", sensor.events)
    yield _falco(CounterMetricFamily, "scap_n_drops", sensor.lost)
    drops = CounterMetricFamily("falcosecurity_scap_n_drops_buffer", HELP, labels=["drop", "dir"])
    for name in dict.fromkeys((*DROPS, *sensor.lost_by_class)):
        drops.add_metric([name, "exit"], sensor.lost_by_class.get(name, 0))
    yield drops
    ledger = CounterMetricFamily("eyas_sensor_events", LEDGER, labels=["class", "stage"])
    for name, account in sensor.ledger.items():
        for stage, count in account.items():
            ledger.add_metric([name, stage], count)
    yield ledger
    held = CounterMetricFamily("eyas_sensor_held", "Matches beyond what a rule may say.", labels=["rule"])
    for rule, count in sensor.held.items():
        held.add_metric([rule], count)
    yield held
    for name, value in sensor.known.items():
        if name in NOW:
            yield _falco(GaugeMetricFamily, f"scap_{name}_total", value)
        else:
            yield _falco(CounterMetricFamily, f"scap_{name}", value)
    yield from _matches(sensor)
    if sensor.reloaded:
        yield _falco(GaugeMetricFamily, "falco_reload_timestamp_nanoseconds", int(sensor.reloaded * 1e9))
    yield _digests("rules", sensor.files)
    yield _digests("config", sensor.config_files)


def _digests(kind: str, paths: Sequence[Path]) -> Metric:
    name = f"falcosecurity_falco_sha256_{kind}_files_info"
    family: Metric = GaugeMetricFamily(name, HELP, labels=["file_name", "sha256"])
    for file, digest in digests(paths):
        family.add_metric([file, digest], 1)  # type: ignore[attr-defined]
    return family


def _matches(sensor: Sensor) -> Iterator[Metric]:
    """Matches by rule. Labels differ from rule to rule: each tag is one."""
    family = CounterMetricFamily("falcosecurity_falco_rules_matches", HELP)
    for rule in sensor.rules:
        count = sensor.by_rule.get(rule.name, 0)
        if count:
            labels = {"rule_name": rule.name, "priority": str(rule.priority), "source": rule.source}
            labels |= {"tag_" + _NAME.sub("_", tag).replace(":", "_"): "true" for tag in rule.tags}
            family.add_sample("falcosecurity_falco_rules_matches_total", labels, count)
    yield family


def _hub(hub: Hub) -> Iterator[Metric]:
    accepted = CounterMetricFamily("eyas_alerts_accepted", "Alerts that came in.", labels=["source"])
    for source, number in list(hub.accepted.items()):
        accepted.add_metric([source], number)
    yield accepted
    db = journal.connect(hub.folder, readonly=True)
    try:
        counters = journal.counters(db)
        size = discard.used(db)
    finally:
        db.close()
    held = CounterMetricFamily(
        "eyas_alerts_held", "Alerts that were counted and not raised.", labels=["why", "rule"]
    )
    gone = CounterMetricFamily(
        "eyas_alerts_discarded", "Alerts that went undelivered, for lack of room.", labels=["priority"]
    )
    for name, number in counters.items():
        word, _, rest = name.partition(":")
        if word == "held":
            held.add_metric(list(rest.partition(":")[::2]), number)
    # Also those that never happened: a panel or a rule of Prometheus needs something to look at.
    for severity, name in enumerate(stored.SEVERITIES):
        gone.add_metric([name], counters.get(f"discarded:{severity}", 0))
    for severity, number in list(hub.writer.overflowed.items()):
        gone.add_metric([f"{stored.SEVERITIES[severity]} (never on disk)"], number)
    yield held
    yield gone
    yield GaugeMetricFamily("eyas_store_bytes", "Bytes of the store that hold something.", value=size)
    yield GaugeMetricFamily(
        "eyas_store_trouble", "1 while the disk takes nothing.", value=int(bool(hub.writer.trouble))
    )


def _outputs(hub: Hub) -> Iterator[Metric]:
    def family(kind: type[Any], name: str, about: str) -> Any:
        return kind(f"eyas_output_{name}", about, labels=["output"])

    made = {
        "depth": family(GaugeMetricFamily, "queue_depth", "Alerts that wait for the receiver."),
        "oldest": family(GaugeMetricFamily, "oldest_seconds", "Age of the oldest alert that waits."),
        "up": family(GaugeMetricFamily, "up", "0 while the receiver fails."),
        "attempts": family(CounterMetricFamily, "attempts", "Times that something was sent."),
        "delivered": family(CounterMetricFamily, "delivered", "Alerts that arrived."),
        "failures": family(CounterMetricFamily, "failures", "Times that sending failed."),
        "refused": family(CounterMetricFamily, "refused", "Alerts that the receiver will never take."),
        "unworded": family(CounterMetricFamily, "template_failures", "Alerts whose template failed."),
    }
    sidekick = CounterMetricFamily(
        "falcosecurity_falcosidekick_outputs", "Alerts by receiver.", labels=["destination", "status"]
    )
    db = journal.connect(hub.folder, readonly=True)
    try:
        for worker in hub.workers:
            name, figures = worker.receiver.name, worker.figures
            depth = journal.depth(db, name)
            age = (time.time_ns() - depth.oldest) / 1e9 if depth.oldest else 0.0
            values = (
                depth.count,
                age,
                int(figures.failing_since is None),
                figures.attempts,
                figures.delivered,
                figures.failures,
                figures.refused,
                worker.receiver.unworded(),
            )
            for metric, value in zip(made.values(), values, strict=True):
                metric.add_metric([name], value)
            sidekick.add_metric([name, "ok"], figures.delivered)
            sidekick.add_metric([name, "error"], figures.failures + figures.refused)
    finally:
        db.close()
    yield from made.values()
    yield sidekick
