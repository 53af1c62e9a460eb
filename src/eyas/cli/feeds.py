"""How `run` reads what services send: the configured sources, beside the watch of this machine or alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from eyas import config, pipeline, watch
from eyas.alert import Alert
from eyas.cli import keeping
from eyas.cli.keeping import Desk
from eyas.cli.options import Chosen
from eyas.cli.replay import write_stats
from eyas.errors import RunError
from eyas.hub import settings as alerts
from eyas.hub.metrics import Sensor
from eyas.intake import Intake, Judge, configured, judges
from eyas.sources import members
from eyas.transports.checkpoint import Checkpoints
from eyas.watch import service

FILE = "sources.db"


def store_of(settings: config.Settings) -> Path:
    """Where the checkpoints of the sources are."""
    return alerts.load(settings.alerts).folder() / FILE


class Feeds:
    """The configured sources of a run; none is fine too."""

    def __init__(self, chosen: Chosen) -> None:
        self._feeds = configured(chosen.settings.sources)
        self._path = store_of(chosen.settings)
        self._judges = self._made(chosen)
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

        store = Checkpoints(self._path)
        self.intake = Intake(self._feeds, self._judges, store, sink)
        thread = threading.Thread(target=self.intake.run, name="eyas-intake")
        thread.start()
        try:
            yield self.intake
        finally:
            self.intake.stop()
            thread.join()
            store.close()

    def prepare(self, chosen: Chosen) -> None:
        """Compile other rules; they are not in force yet."""
        self._next = self._made(chosen)

    def switch(self) -> None:
        """Put what was prepared in force."""
        if self.intake is not None:
            self.intake.reload(self._next)

    def _made(self, chosen: Chosen) -> Mapping[str, Judge]:
        names = {feed.source.name for feed in self._feeds}
        return judges(names, chosen.loaded.active, members.known(), chosen.loaded.matching) if names else {}


def alone(reading: Feeds, chosen: Chosen, seconds: float | None, stats: Path | None) -> None:
    """Read the sources without watching the machine, until the time is over or a signal says stop."""
    began = time.monotonic()
    with watch.Wakes(seconds, service.heartbeat()) as wakes:
        with (
            keeping.taking(chosen, flush=True, sensor=Sensor) as desk,
            reading.running(chosen, desk) as intake,
        ):
            said = f"watching {len(reading)} sources with {len(chosen.loaded.active)} rules"
            click.echo(f"eyas: {said}; the machine itself is not watched", err=True)
            service.ready(said)
            while watch.Wake.STOP not in wakes.wait():
                service.alive()
        service.stopping()
    tally = pipeline.Tally(seconds=time.monotonic() - began)
    for status in intake.statuses if intake else ():
        tally.events += status.events
        tally.alerts += status.alerts
        refused = sum(status.refused.values())
        tally.unknown_events += refused
        click.echo(
            f"  {status.feed}: {status.events} events, {status.alerts} alerts, {refused} refused", err=True
        )
    if stats is not None:
        write_stats(stats, tally)
