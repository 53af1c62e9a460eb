"""How `run` and `replay` hand their alerts over: to the store and the receivers, and aloud once they are on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eyas import config
from eyas.alert import Alert, Style
from eyas.cli import added, logs
from eyas.cli.options import Chosen
from eyas.cli.speaking import Voice
from eyas.errors import RunError, UsageError
from eyas.hub import activity
from eyas.hub import settings as sections
from eyas.hub.enricher import Enriching
from eyas.hub.sensor import Ask
from eyas.rules import Compiled
from eyas.rules.grouping import Grouping, seconds

if TYPE_CHECKING:  # loaded when something is kept: a replay that only prints starts without them
    from eyas.hub import metrics, snapshot, web
    from eyas.hub.hub import Hub
    from eyas.hub.routing import Target

DRAIN = 10.0
SHORTEST = 0.1  # seconds between two snapshots of figures

Taker = Callable[[Alert], None]


def live(settings: config.Settings) -> sections.Settings | None:
    """What `eyas run` keeps: everything, unless the configuration says no."""
    found = sections.load(settings.alerts, settings.place)
    return found if found.enabled else None


def replayed(settings: config.Settings, store: Path | None) -> sections.Settings | None:
    """What `eyas replay` keeps: nothing, unless a store or a receiver is named."""
    found = sections.load(settings.alerts, settings.place)
    if store is not None:
        return found.model_copy(update={"store": str(store)})
    if found.store and "alerts" in settings.model_fields_set:
        return found
    own_ones = (settings.file_output, settings.syslog_output, settings.program_output, settings.http_output)
    if settings.outputs or any(one.enabled for one in own_ones):
        return found.passing()
    return None


class Desk:
    """Where alerts are handed in."""

    def __init__(self, say: Taker, hub: Hub | None) -> None:
        self._say = say
        self._hub = hub
        workers, _ = added.enrichers()
        self._enriching = Enriching(workers, self._take) if workers else None
        self.footage: Path | None = None  # the capture that is being played

    def __call__(self, alert: Alert) -> None:
        """Take an alert, or a note for trails."""
        note = activity.of_alert(alert)
        if note is None:
            (self._enriching or self._take)(alert)
        elif self._hub is not None:
            self._hub.observe(note)

    def _take(self, alert: Alert) -> None:
        if self._hub is None:
            self._say(alert)
        else:
            self._hub.accept(alert if self.footage is None else _filmed(alert, self.footage))

    def finish(self) -> None:
        """Wait until every alert is handed on."""
        if self._enriching is not None:
            self._enriching.flush()

    def flush(self) -> bool:
        """Wait until all is on disk, and tell whether it is."""
        self.finish()
        return self._hub is None or self._hub.flush()

    def learn(self, rules: Sequence[Compiled]) -> None:
        """Take over what newly loaded rules say about repeats."""
        if self._hub is not None:
            self._hub.learn(groupings(rules))


def _filmed(alert: Alert, footage: Path) -> Alert:
    return replace(alert, eyas={"footage": str(footage.absolute()), **alert.eyas})


@contextmanager
def taking(chosen: Chosen, voice: Voice, sensor: Ask | None = None) -> Iterator[Desk]:
    """A place to hand alerts to; at its end what waits is delivered, as far as receivers answer.

    With a `sensor` health and metrics are served, if the configuration says so. Fails at the end if the voice did.
    """
    try:
        with _kept(chosen, _speaker(chosen, voice), sensor) as desk, _reporting(chosen, desk, sensor):
            yield desk
    finally:
        voice.close()
    if voice.error is not None:
        raise voice.error


@contextmanager
def _reporting(chosen: Chosen, desk: Desk, sensor: Ask | None) -> Iterator[None]:
    """Snapshots of figures at the interval of the configuration."""
    wanted = _snapshots(chosen.settings)
    if sensor is None or wanted is None:
        yield
        return
    from eyas import _core
    from eyas.hub.snapshot import Snapshots

    snapshots = Snapshots(wanted, sensor, desk, _core.__version__)
    snapshots.start()
    try:
        yield
    finally:
        snapshots.close()


def _snapshots(settings: config.Settings) -> snapshot.Wanted | None:
    """What the section `metrics` asks for; None when it wants no snapshots."""
    section = settings.metrics
    heard = section.output_rule and settings.priority in ("informational", "info", "debug")
    if not section.enabled or not (heard or section.output_file):
        return None
    from eyas.hub.snapshot import Wanted

    at = settings.place("metrics", "interval")
    try:
        interval = seconds(section.interval)
    except ValueError as error:
        raise UsageError(f"{at}: metrics.interval: {error}") from None
    if interval < SHORTEST:
        raise UsageError(f"{at}: metrics.interval: '{section.interval}' is shorter than 100ms")
    return Wanted(
        interval=interval,
        alert=heard,
        file=Path(section.output_file) if section.output_file else None,
        rules=section.rules_counters_enabled,
        resources=section.resource_utilization_enabled,
        state=section.state_counters_enabled,
        kernel=section.kernel_event_counters_enabled,
        megabytes=section.convert_memory_to_mb,
        zeros=section.include_empty_values,
    )


@contextmanager
def _kept(chosen: Chosen, say: Taker, sensor: Ask | None) -> Iterator[Desk]:
    with _opened(chosen, say, sensor) as desk:
        try:
            yield desk
        finally:
            desk.finish()


@contextmanager
def _opened(chosen: Chosen, say: Taker, sensor: Ask | None) -> Iterator[Desk]:
    if chosen.keep is not None or added.enrichers()[0]:
        logs.begin(chosen.settings.log_level, chosen.settings.log_stderr, chosen.settings.log_syslog)
    if chosen.keep is None:
        yield Desk(say, None)
        return
    try:
        hub = opened(chosen, chosen.keep, say)
    except RunError as error:
        if chosen.keep.store:
            raise
        click.echo(f"eyas: {error}; alerts are printed and not kept", err=True)
        yield Desk(say, None)
        return
    served: list[web.Served] = []
    try:
        served = serving(chosen, chosen.keep, hub, sensor) if sensor is not None else []
        yield Desk(say, hub)
    finally:
        closed(hub, served)


def closed(hub: Hub, served: Sequence[web.Served]) -> None:
    """Close the listeners, then the hub; tell of alerts that their receivers did not take meanwhile."""
    for one in served:
        one.close()
    if hub.close(DRAIN):
        hub.settings.leave()
    else:
        click.echo(f"eyas: some alerts still wait for their receivers in {hub.folder}", err=True)


def serving(chosen: Chosen, keep: sections.Settings, hub: Hub, sensor: Ask) -> list[web.Served]:
    """The listeners that the configuration asks for."""
    if not (chosen.settings.webserver.enabled or keep.listen.enabled):
        return []
    from eyas import _core
    from eyas.hub import metrics, web

    collector = metrics.Collector(hub, sensor, _core.__version__)
    server, found = chosen.settings.webserver, []
    if server.enabled:
        shown = collector if chosen.settings.metrics.enabled and server.prometheus_metrics_enabled else None
        place = web.Place(
            server.listen_address, server.listen_port, server.ssl_certificate if server.ssl_enabled else ""
        )
        found.append(web.Served(web.health(hub, shown, server.k8s_healthz_endpoint), place))
    if keep.listen.enabled:
        found += doors(hub, collector, keep.listen)
    return found


def doors(hub: Hub, collector: metrics.Collector, listen: sections.Listener) -> list[web.Served]:
    """The door for alerts of others; beside one with TLS some paths may be served without."""
    from eyas.hub import own, web

    app = web.door(hub, collector, listen.format, listen.token.get_secret_value(), own.example)
    place = web.Place(listen.address, listen.port, listen.certificate, listen.key, listen.client_ca)
    found = [web.Served(app, place)]
    if listen.certificate and listen.plain_paths:
        plain = web.only(app, listen.plain_paths)
        found.append(web.Served(plain, web.Place(listen.address, listen.plain_port)))
    return found


def opened(chosen: Chosen, keep: sections.Settings, say: Taker) -> Hub:
    """The hub that a configuration asks for."""
    from eyas.hub.hub import Hub, Plan

    rules = groupings(chosen.loaded.active)
    return Hub(Plan(keep, targets(chosen.settings, keep, chosen.style), rules, say))


def groupings(rules: Sequence[Compiled]) -> dict[str, Grouping]:
    """What rules say about repeats, by name."""
    return {rule.name: rule.grouping for rule in rules}


def targets(settings: config.Settings, keep: sections.Settings, style: Style) -> list[Target]:
    """Every receiver that is switched on; what is odd about their settings goes to stderr."""
    from eyas.hub import own, receivers

    found, warnings = receivers.load(settings.outputs, keep, settings.place)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return [*own.targets(settings, style), *found]


def _speaker(chosen: Chosen, voice: Voice) -> Taker:
    def say(alert: Alert) -> None:
        voice.say(alert.line(chosen.style))

    def nothing(_: Alert) -> None:
        """Standard output is switched off."""

    return say if chosen.settings.stdout_output.enabled else nothing
