"""Which receivers get an alert: by priority, rule, tag, source or any field."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eyas.alert import Alert
from eyas.config import Place
from eyas.delivery import stored
from eyas.delivery.worker import Receiver
from eyas.errors import UsageError
from eyas.hub import template
from eyas.hub.settings import SECTION, Route


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver with what it wants. `every` wants repeats too, as Falco's own outputs
    do; `takes_back` is told when an alert is closed."""

    receiver: Receiver
    passes: Callable[[Alert], bool] = lambda _alert: True
    every: bool = False
    takes_back: bool = False


@dataclass(frozen=True, slots=True)
class Router:
    """Tells for each alert who gets it."""

    targets: tuple[Target, ...]
    routes: tuple[Route, ...] = ()

    def news(self, alert: Alert) -> tuple[str, ...]:
        """Names of those that hear how an alert has grown: all that do not get its repeats."""
        every = {target.receiver.name for target in self.targets if target.every}
        return tuple(name for name in self.receivers(alert, repeat=False) if name not in every)

    def receivers(self, alert: Alert, *, repeat: bool, without: str = "") -> tuple[str, ...]:
        """Names of the receivers of an alert."""
        named = {name for route in self.routes for name in route.to}
        chosen = {name for route in self.routes if _wants(route, alert) for name in route.to}
        return tuple(
            target.receiver.name
            for target in self.targets
            if (target.every or not repeat)
            and target.receiver.name != without
            and (target.receiver.name not in named or target.receiver.name in chosen)
            and target.passes(alert)
        )


def _wants(route: Route, alert: Alert) -> bool:
    if stored.severity(alert.priority) > route.severity():
        return False
    return route.when is None or route.when.holds(alert)


def check(routes: Sequence[Route], names: Iterable[str], place: Place | None = None) -> None:
    """Refuse routes to receivers that do not exist, and templates that do not compile."""
    known = list(names)

    def at(*steps: str) -> str:
        key = ".".join((SECTION, "routes", *steps))
        return f"{place(SECTION, 'routes', *steps)}: {key}" if place else key

    for number, route in enumerate(routes):
        for name in route.to:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = (
                    f"did you mean '{near[0]}'?"
                    if near
                    else "outputs that are on: " + (", ".join(known) or "none")
                )
                raise UsageError(f"{at(str(number), 'to')}: no output '{name}' is switched on", hint)
        if route.priority not in (*stored.SEVERITIES, "info"):
            said = f"'{route.priority}' is none of {', '.join(stored.SEVERITIES)}"
            raise UsageError(f"{at(str(number), 'priority')}: {said}")
        if route.template:
            template.compiled(route.template, at(str(number), "template"))


def text_of(name: str, routes: Sequence[Route], alert: Alert) -> str:
    """Template that words an alert for a receiver: that of the first route that leads there."""
    for route in routes:
        if name in route.to and route.template and _wants(route, alert):
            return route.template
    return ""


def rate_of(name: str, routes: Sequence[Route]) -> float:
    """Most requests a second for a receiver."""
    return max((route.rate for route in routes if name in route.to), default=0.0)
