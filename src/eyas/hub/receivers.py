"""From the cards of receivers that are switched on to receivers that a worker can serve."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from eyas.alert import Alert
from eyas.config import Place
from eyas.delivery import Answer, Outcome, Request, Sender
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver
from eyas.errors import UsageError
from eyas.hub import routing, sidekick
from eyas.hub.closing import CLOSED
from eyas.hub.growth import UPDATE
from eyas.hub.routing import Target
from eyas.hub.settings import Route, Settings
from eyas.hub.wording import Wording
from eyas.outputs import settings as cards
from eyas.outputs.card import Output, find, passes, plan, shown
from eyas.outputs.settings import Enabled, Loaded, Shared

UNLIMITED = 8  # requests at once where the receiver sets no limit

log = structlog.get_logger("eyas.outputs")


class Prepared:
    """A sender that says something once before its first alert."""

    def __init__(self, inner: Sender, first: Sequence[Request], name: str) -> None:
        self._inner = inner
        self._first = list(first)
        self._name = name

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Send the batch, after what comes first."""
        first, self._first = self._first, []
        for answer in self._inner.send(first) if first else ():
            if answer.outcome is not Outcome.DELIVERED:
                log.warning("preparation failed", output=self._name, reason=answer.reason)
        return self._inner.send(batch)

    def close(self) -> None:
        """Close what is inside."""
        self._inner.close()


def load(
    values: Mapping[str, Any], settings: Settings, place: Place | None = None
) -> tuple[list[Target], list[str]]:
    """Receivers of the section `outputs`, the environment and Falcosidekick's file, and what to tell people."""
    file = sidekick.read(Path(settings.falcosidekick)) if settings.falcosidekick else sidekick.File()
    merged = {**file.values, **values}
    if settings.falcosidekick:
        merged["prometheus"] = _counting(merged.get("prometheus"))
    own = {str(name).lower() for name in values}
    theirs = {name for name in file.places if "." not in name} - own

    def at(*steps: str) -> str:
        return file.place(*steps) if steps[0] in theirs else place("outputs", *steps) if place else "outputs"

    loaded = cards.load(merged, place=at, theirs=theirs)
    named = [(enabled.output.name, enabled) for enabled in loaded.enabled]
    named += _further(values, loaded, at)
    routing.check(settings.routes, [name for name, _ in named] + list(OWN), place)
    return [target(name, one, loaded.shared, settings.routes) for name, one in named], list(loaded.warnings)


def _counting(section: Any) -> dict[str, Any]:
    """Falcosidekick counts for Prometheus without being asked; dashboards expect it."""
    return {"enabled": True, **(section if isinstance(section, Mapping) else {})}


# Falco's own outputs, which routes may name too.
OWN = ("file_output", "syslog_output", "program_output", "http_output")


def _further(values: Mapping[str, Any], loaded: Loaded, place: Place) -> list[tuple[str, Enabled]]:
    """`slack@ops` is a second Slack beside `slack`, with its own settings."""
    found = []
    for name, section in values.items():
        kind, mark, _ = str(name).partition("@")
        if mark:
            if not isinstance(section, Mapping):
                told = f"expected a mapping of settings, found {section!r:.60}"
                raise UsageError(f"{place(str(name))}: outputs.{name}: {told}")
            output = find(kind)
            made = cards.settings_of(output, section, loaded.shared, str(name), place)
            found.append((str(name), Enabled(output, made)))
    return found


def target(name: str, enabled: Enabled, shared: Shared, routes: Sequence[Route] = ()) -> Target:
    """One receiver, ready."""
    output, settings = enabled.output, enabled.settings
    lanes = getattr(settings, "maxconcurrentrequests", 1)

    wording = Wording(name, shared, routes)

    def words(alerts: Sequence[Alert]) -> list[Request]:
        return requests(output, [wording.of(alert) for alert in alerts], settings)

    return Target(
        Receiver(
            name=name,
            plan=words,
            open=lambda: opened(output, settings),
            batch=output.batch,
            grouped=output.requests is not None,
            lanes=lanes if lanes > 0 else UNLIMITED,
            rate=routing.rate_of(name, routes),
            linger=output.linger(settings) if output.linger else 0.0,
            hide=lambda text: shown(text, settings),
            unworded=lambda: wording.failures,
        ),
        passes=lambda alert: _passes(output, alert, settings),
        takes_back=output.resolve is not None,
    )


def _passes(output: Output, alert: Alert, settings: Any) -> bool:
    if alert.eyas.get("test"):  # asked for by a person: least priorities do not hold it back
        return True
    if output.counts and alert.eyas.get(UPDATE):
        return False
    return passes(alert, settings) and (output.takes is None or output.takes(alert))


def requests(output: Output, alerts: Sequence[Alert], settings: Any) -> list[Request]:
    """Requests of a card for some alerts; those that were closed are taken back."""
    if output.resolve is None:
        return list(plan(output, alerts, settings))
    made: list[Request] = []
    for closed, group in itertools.groupby(alerts, lambda alert: alert.eyas.get("status") == CLOSED):
        if closed:
            made += [request for alert in group for request in output.resolve(alert, settings)]
        else:
            made += plan(output, list(group), settings)
    return made


def opened(output: Output, settings: Any) -> Sender:
    """The connection of a card: its own, or HTTP."""
    sender = output.open(settings) if output.open else None
    if sender is None:
        sender = HttpSender(settings.trust, output.judge, output.mend, agent="Eyas")
    if output.prepare:
        return Prepared(sender, output.prepare(settings), output.name)
    return sender


__all__ = ["OWN", "Prepared", "load", "opened", "requests", "target"]
