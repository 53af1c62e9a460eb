"""How `run` reads what services send: the configured sources, beside the watch of this machine or alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from eyas import config, pipeline
from eyas.alert import Alert
from eyas.cli import figures, keeping
from eyas.cli.keeping import Desk
from eyas.cli.options import Chosen
from eyas.cli.speaking import beside
from eyas.errors import RunError, UsageError
from eyas.hub import activity
from eyas.hub import settings as alerts
from eyas.hub.sensor import Sensor
from eyas.intake import Feed, Intake, Judge, configured
from eyas.sources import members
from eyas.sources.binary.stream import VIA
from eyas.transports.checkpoint import Checkpoints
from eyas.transports.status import Status
from eyas.watch import Wake, Wakes, changes, service

FILE = "sources.db"


def store_of(settings: config.Settings) -> Path:
    """Where the checkpoints of the sources are."""
    return alerts.load(settings.alerts, settings.place).folder() / FILE


class Feeds:
    """The configured sources of a run; none is fine too."""

    def __init__(self, chosen: Chosen) -> None:
        self._streams = chosen.plugins.streams
        self._guests = chosen.plugins.guests
        self._feeds = [*configured(chosen.settings.sources), *_plugin_feeds(chosen)]
        chosen.plugins.ask(chosen.loaded.active)
        self._path = store_of(chosen.settings)
        self._judges = self._made(chosen)
        self._active = chosen.loaded.active
        self._next = self._judges
        self.intake: Intake | None = None

    def __len__(self) -> int:
        return len(self._feeds)

    @contextmanager
    def running(self, chosen: Chosen, desk: Desk) -> Iterator[Intake | None]:
        """Read them in a thread for the length of a block."""
        if not self._feeds:
            yield None
            return
        lock = threading.Lock()

        def sink(raised: Sequence[Alert]) -> None:
            with lock:
                for alert in raised:
                    desk(alert)
                if not desk.flush():
                    raise RunError("the store of alerts takes nothing at present")

        self._tell_blind()
        store = Checkpoints(self._path)
        self.intake = Intake(self._feeds, self._judges, store, sink)
        self._adopt()
        thread = threading.Thread(target=self.intake.run, name="eyas-intake")
        thread.start()
        try:
            yield self.intake
        finally:
            self.intake.stop()
            thread.join()
            store.close()

    def _tell_blind(self) -> None:
        """Say which sources are read without a rule that could raise an alert."""
        judged = {rule.source for rule in self._active if activity.TAG not in rule.tags}
        for feed in self._feeds:
            if feed.source.name not in judged:
                said = f"source {feed.name}: no rule is about {feed.source.name}, so it raises no alert"
                click.echo(f"warning: {said}", err=True)

    def prepare(self, chosen: Chosen) -> None:
        """Compile other rules; they are not in force yet."""
        self._next = self._made(chosen)
        self._guests = chosen.plugins.guests
        self._active = chosen.loaded.active

    def switch(self) -> None:
        """Put what was prepared in force."""
        if self.intake is not None:
            for stream in self._streams:
                stream.ask(self._active)
            self._adopt()
            self.intake.reload(self._next)

    def _adopt(self) -> None:
        """Let plugins that look at the records of these feeds be reported beside them."""
        read = {feed.source.name for feed in self._feeds}
        for guest in self._guests:
            if self.intake is not None and guest.source.name in read:
                guest.tell = self.intake.adopt(guest.status)

    def _made(self, chosen: Chosen) -> Mapping[str, Judge]:
        streams = {stream.source.name: stream.source for stream in self._streams}
        names = {feed.source.name for feed in self._feeds} - streams.keys()
        known, rules = chosen.known or members.known(), chosen.loaded
        cards = {name: chosen.plugins.card(name, rules.active) for name in names}
        found = {**cards, **streams}.items()
        return {name: Judge(one, rules.active, known, rules.matching) for name, one in found if one}


def _plugin_feeds(chosen: Chosen) -> list[Feed]:
    """Feeds of binary plugins; a source comes either from one or from a key of `sources`."""
    own = {feed.source.name for feed in configured(chosen.settings.sources)}
    for stream in chosen.plugins.streams:
        if stream.source.name in own:
            what = f"source {stream.source.name} is in 'sources' and comes from plugin {stream.source.plugin} too"
            raise UsageError(what, "take one of them out of the configuration")
    return [Feed(s.source.plugin, s.source, VIA, s) for s in chosen.plugins.streams]


def alone(reading: Feeds, first: Chosen, wakes: Wakes, loader: changes.Loader[Chosen]) -> pipeline.Tally:
    """Read the sources without watching the machine, until the time is over or a signal says stop."""
    began, began_at, stop = time.monotonic(), time.time(), threading.Event()
    if first.settings.watch_config_files:
        changes.follow(first.sources, time.time_ns(), wakes, stop)

    def ask() -> Sensor:
        statuses = reading.intake.statuses if reading.intake else ()
        events = sum(status.events for status in statuses)
        rule_files = [path for path in first.sources if path not in first.config_files]
        return Sensor(
            events=events,
            engine="nodriver",
            files=rule_files,
            config_files=first.config_files,
            reloaded=began_at,
        )

    voice = beside(lambda: wakes.post(Wake.STOP))
    with keeping.taking(first, voice, ask) as desk, reading.running(first, desk) as intake:
        said = f"watching {len(reading)} sources with {figures.number(first.loaded.active)} rules"
        click.echo(f"eyas: {said}; the machine itself is not watched", err=True)
        service.ready(said)
        woken: set[Wake] = set()
        while Wake.STOP not in woken:
            woken = wakes.wait()
            service.alive()
            if Wake.RELOAD in woken:
                loader.begin()
            if Wake.LOADED in woken and (chosen := loader.take()) is not None:
                reading.switch()
                desk.learn(chosen.loaded.active)
                click.echo(f"eyas: reloaded; {figures.number(chosen.loaded.active)} rules", err=True)
        service.stopping()
    stop.set()
    return _summed(intake.statuses if intake else (), time.monotonic() - began)


def _summed(statuses: Sequence[Status], seconds: float) -> pipeline.Tally:
    """What all sources came to; each is told on standard error."""
    tally = pipeline.Tally(seconds=seconds)
    for status in statuses:
        refused = sum(status.refused.values())
        tally.events += status.events
        tally.alerts += status.alerts
        tally.unknown_events += refused
        click.echo(
            f"  {status.feed}: {status.events} events, {status.alerts} alerts, {refused} refused", err=True
        )
    return tally
