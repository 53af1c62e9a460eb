"""How `run` and `replay` hand their alerts over: to the store and the receivers, and aloud once they are on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from eyas import config
from eyas.alert import Alert, Style
from eyas.cli.options import Chosen
from eyas.hub import activity, own, receivers
from eyas.hub import settings as sections
from eyas.hub.hub import Hub, Plan
from eyas.hub.routing import Target

DRAIN = 10.0

Taker = Callable[[Alert], None]


def live(settings: config.Settings) -> sections.Settings | None:
    """What `eyas run` keeps: everything, unless the configuration says no."""
    found = sections.load(settings.alerts)
    return found if found.enabled else None


def replayed(settings: config.Settings, store: Path | None) -> sections.Settings | None:
    """What `eyas replay` keeps: nothing, unless a store or a receiver is named."""
    found = sections.load(settings.alerts)
    if store is not None:
        return found.model_copy(update={"store": str(store)})
    if found.store and "alerts" in settings.model_fields_set:
        return found
    own_ones = (settings.file_output, settings.syslog_output, settings.program_output, settings.http_output)
    if settings.outputs or any(one.enabled for one in own_ones):
        folder = tempfile.mkdtemp(prefix="eyas-replay-")
        return found.model_copy(update={"store": folder, "trail": False})
    return None


@dataclass(frozen=True, slots=True)
class Desk:
    """A place to hand alerts to; `flush` waits until they are on disk, and tells whether they are."""

    take: Taker
    flush: Callable[[], bool]

    def __call__(self, alert: Alert) -> None:
        """Hand over an alert."""
        self.take(alert)


@contextmanager
def taking(chosen: Chosen, *, flush: bool) -> Iterator[Desk]:
    """A desk for alerts; at its end what waits is delivered, as far as receivers answer."""
    say = _speaker(chosen, flush)
    if chosen.keep is None:
        yield Desk(say, lambda: True)
        return
    hub = opened(chosen, chosen.keep, say)

    def take(alert: Alert) -> None:
        note = activity.of_alert(alert)
        if note is None:
            hub.accept(alert)
        else:
            hub.observe(note)

    try:
        yield Desk(take, hub.flush)
    finally:
        if not hub.close(DRAIN):
            click.echo(f"eyas: some alerts still wait for their receivers in {hub.folder}", err=True)


def opened(chosen: Chosen, keep: sections.Settings, say: Taker) -> Hub:
    """The hub that a configuration asks for."""
    rules = {rule.name: rule.grouping for rule in chosen.loaded.active}
    return Hub(Plan(keep, targets(chosen.settings, keep, chosen.style), rules, say))


def targets(settings: config.Settings, keep: sections.Settings, style: Style) -> list[Target]:
    """Every receiver that is switched on; what is odd about their settings goes to stderr."""
    found, warnings = receivers.load(settings.outputs, keep)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return [*own.targets(settings, style), *found]


def _speaker(chosen: Chosen, flush: bool) -> Taker:
    def say(alert: Alert) -> None:
        print(alert.line(chosen.style), flush=flush)

    def nothing(_: Alert) -> None:
        """Standard output is switched off."""

    return say if chosen.settings.stdout_output.enabled else nothing
