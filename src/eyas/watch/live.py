"""The live run: what the kernel reports is judged by the rules in force, and rules may change meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eyas import _core, alert, catalog, pipeline
from eyas.alert import Alert
from eyas.catalog import KERNEL, Catalog
from eyas.containers import RUNTIMES, Answers, Cluster
from eyas.errors import EyasError, RunError
from eyas.hub import activity
from eyas.pipeline import Tally
from eyas.rules import Compiled
from eyas.watch import held, losses, service
from eyas.watch.changes import Loader
from eyas.watch.footage import Footage, Settings
from eyas.watch.machine import host
from eyas.watch.pulse import Pulse
from eyas.watch.wakes import Wake, Wakes

# Sets of rules whose late matches are still told.
GENERATIONS = 8


@dataclass(frozen=True, slots=True)
class Force:
    """Rules in force, as the core runs them, and how their alerts are written."""

    rules: list[Compiled]
    program: _core.Program
    events: list[int]
    style: alert.Style
    plan: str | None = None
    footage: Settings = field(default_factory=Settings)
    on_loss: tuple[str, ...] = losses.ACTIONS
    cluster: Cluster | None = None
    hooks: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What whoever runs the watch wants to hear."""

    reloaded: Callable[[Force], None]
    failed: Callable[[EyasError], None]
    said: Callable[[str], None]


def needed(rules: Iterable[Compiled], known: Catalog) -> list[int]:
    """Ids of the events that rules can hold on."""
    wanted: set[int] = set()
    for rule in rules:
        if rule.source != KERNEL:
            continue
        if rule.events is None:
            return [event.id for event in known.events]
        wanted |= rule.events
    return sorted(wanted)


def described(rules: Iterable[Compiled], known: Catalog) -> list[int]:
    """Ids of the events that rules judge by what a runtime says of a container: its name, its image, its pod."""
    return needed((rule for rule in rules if any(_is_description(field) for field in rule.fields)), known)


def _is_description(field: str) -> bool:
    family, _, name = field.partition(".")
    return family in ("k8s", "k8smeta") or (family == "container" and name != "id")


class Watch:
    """This machine being watched."""

    def __init__(self, force: Force, wakes: Wakes, load: Callable[[], Force], told: Told) -> None:
        self.force = force
        self.tally = Tally()
        self._wakes = wakes
        self._told = told
        self._catalog = catalog.load()
        self._loader = Loader(load, told.failed, wakes)
        retention = force.footage.retention
        self._live = _started(
            lambda: _core.Live(
                force.program,
                force.events,
                plan=force.plan,
                notes=held.notes(force.rules),
                described=described(force.rules, self._catalog),
                retention=retention,
                hooks=force.hooks,
            )
        )
        self._footage = Footage(force.footage, self._live.footage)
        self._answers = Answers(self._live.tell, RUNTIMES, host(), force.cluster, told.said)
        self._generations = {0: force}
        self._host = alert.hostname()
        self._pulse = Pulse(wakes, self._host)

    def alerts(self) -> Iterator[Alert]:
        """Alerts as they come, until the time is over or a signal says stop."""
        self._wakes.listen(self._live)
        self._ready()
        try:
            stopping = False
            while not stopping:
                woken = self._wakes.wait()
                service.alive()
                if Wake.FOUND in woken:
                    yield from self._told_by(self._live.take())
                if Wake.RELOAD in woken:
                    service.reloading()
                    self._loader.begin()
                if Wake.LOADED in woken:
                    self._switch()
                if Wake.NOTICED in woken:
                    yield from self._counted(self._pulse.take())
                stopping = Wake.STOP in woken
            service.stopping()
            yield from self._told_by(self._live.close())
        except _core.CoreError as error:
            raise _failure(error) from None
        finally:
            self._pulse.close()
            self._answers.close()
            self.tally.take(self._live.stats())

    def figures(self) -> Tally:
        """The tally as it is now."""
        self.tally.take(self._live.stats())
        return self.tally

    def _ready(self) -> None:
        rules = len(self.force.rules) - len(held.notes(self.force.rules))
        service.ready(f"watching with {rules} rules")

    def _told_by(self, report: _core.Report) -> Iterator[Alert]:
        """What the core found; its questions are passed on, its losses become alerts."""
        for question in report.questions:
            self._answers.ask(question)
        for trouble in report.troubles:
            self._told.said(trouble)
        yield from self._counted(self._lost(report.losses))
        yield from self._raised(report.found)
        yield from self._counted(self._held(report.held))

    def _counted(self, raised: Iterable[Alert]) -> Iterator[Alert]:
        for one in raised:
            self.tally.count(one)
            yield one

    def _lost(self, lost: Iterable[_core.Loss]) -> Iterator[Alert]:
        for loss in lost:
            raised = losses.raised(loss, self.force.rules, self._catalog, self._host)
            yield from losses.acted(raised, self.force.on_loss)

    def _held(self, counts: Iterable[tuple[int, int, int]]) -> Iterator[Alert]:
        for generation, number, count in counts:
            rule = self._generations[generation].rules[number]
            self.tally.held[rule.name] += count
            if raised := held.raised(rule, count, self._host):
                yield raised

    def _switch(self) -> None:
        """Put what was loaded in force; when it did not load, what is in force stays."""
        force = self._loader.take()
        if force is not None:
            self.force = force
            number = self._live.reload(
                force.program,
                force.events,
                plan=force.plan,
                notes=held.notes(force.rules),
                described=described(force.rules, self._catalog),
            )
            self._generations[number] = force
            while len(self._generations) > GENERATIONS:
                del self._generations[next(iter(self._generations))]
            self._told.reloaded(force)
        self._ready()

    def _raised(self, batches: Iterable[_core.Found]) -> Iterator[Alert]:
        for found in batches:
            rules = self._generations[found.generation].rules
            for match in found.matches:
                raised = pipeline.alert_of(match, rules[match.rule], self._host)
                if activity.TAG in raised.tags:
                    yield raised
                    continue
                more: dict[str, Any] = {"clocks": _clocks(match, found)}
                if found.amends:
                    more["amended"] = True
                else:
                    self.tally.count(raised)
                    more |= self._kept(match, rules[match.rule])
                yield replace(raised, eyas={**raised.eyas, **more})

    def _kept(self, match: _core.Match, rule: Compiled) -> dict[str, str]:
        path = self._footage.of(match, rule)
        return {"capture": str(path)} if path else {}


def _clocks(match: _core.Match, found: _core.Found) -> dict[str, int]:
    """When the kernel saw it, when it was read, judged, and handed on; nanoseconds since the epoch."""
    return {"kernel": match.ts, "read": found.read, "judged": found.judged, "written": time.time_ns()}


class Recording:
    """This machine being written to a capture."""

    def __init__(self, path: Path, keep: _core.Program | None, events: list[int]) -> None:
        self._live = _started(lambda: _core.Live(None, events, write=str(path), keep=keep))
        self._answers = Answers(self._live.tell, RUNTIMES, host())

    def run(self, wakes: Wakes) -> dict[str, Any]:
        """Record until the time is over or a signal says stop; gives the figures."""
        wakes.listen(self._live)
        woken: set[Wake] = set()
        try:
            while Wake.STOP not in woken:
                woken = wakes.wait()
                for question in self._live.take().questions:
                    self._answers.ask(question)
            self._live.close()
        except _core.CoreError as error:
            raise _failure(error) from None
        finally:
            self._answers.close()
        return self._live.stats()


def _started(start: Callable[[], _core.Live]) -> _core.Live:
    try:
        return start()
    except _core.CoreError as error:
        raise _failure(error) from None


def _failure(error: _core.CoreError) -> RunError:
    message, hint = (*error.args, "")[:2]
    return RunError(message, hint)
