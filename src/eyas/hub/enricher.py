"""Enrichers: what installed packages add to alerts, with an entry point of the group `eyas.enrichers`.

Each works in a thread of its own: one that fails or takes too long costs an alert nothing but what it would have added.
Whoever raises an alert never waits for them.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eyas.alert import Alert

GROUP = "eyas.enrichers"
PATIENCE = 2.0  # seconds that an alert waits for what an enricher adds
PAUSE = 60.0  # seconds that one which took longer is left alone
LOGGED, SAMPLE = 20, 1000
WAITING = 10_000  # alerts that wait for enrichers; those beyond go on without

Enrich = Callable[[Alert], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Enricher:
    """What a package adds to alerts: fields, by their names, which stand among the output fields.

    It is asked about alerts of its sources, or of all when it names none. What an alert says already stays.
    """

    name: str
    about: str
    enrich: Enrich
    sources: tuple[str, ...] = ()


@dataclass(slots=True)
class Worker:
    """One enricher at work."""

    enricher: Enricher
    failures: int = 0
    _asked: queue.SimpleQueue[tuple[Alert, queue.SimpleQueue[Any]]] = field(default_factory=queue.SimpleQueue)
    _until: float = 0.0
    _thread: threading.Thread | None = None

    def fields(self, alert: Alert) -> dict[str, Any]:
        """What it adds; nothing when it fails, or is left alone for a while."""
        if self.enricher.sources and alert.source not in self.enricher.sources:
            return {}
        if time.monotonic() < self._until:
            return {}
        answered: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asked.put((alert, answered))
        self._start()
        try:
            found = answered.get(timeout=PATIENCE)
        except queue.Empty:
            self._until = time.monotonic() + PAUSE
            self._asked, self._thread = queue.SimpleQueue(), None
            self._tell(f"no answer in {PATIENCE:g} s; it is not asked for {PAUSE:g} s")
            return {}
        return self._checked(found)

    def _checked(self, found: Any) -> dict[str, Any]:
        if isinstance(found, Exception):
            self._tell(f"{type(found).__name__}: {found}"[:300])
            return {}
        if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
            self._tell(f"expected fields by name, found {found!r:.60}")
            return {}
        return {key: _plain(value) for key, value in found.items()}

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._asked,), daemon=True)
            self._thread.start()

    def _work(self, asked: queue.SimpleQueue[tuple[Alert, queue.SimpleQueue[Any]]]) -> None:
        while asked is self._asked:
            alert, answered = asked.get()
            try:
                answered.put(self.enricher.enrich(alert))
            except Exception as error:  # a fault of the package, whatever it is
                answered.put(error)

    def _tell(self, reason: str) -> None:
        self.failures += 1
        if self.failures <= LOGGED or self.failures % SAMPLE == 0:
            _log().error(
                "an enricher failed", enricher=self.enricher.name, reason=reason, count=self.failures
            )


def _plain(value: Any) -> Any:
    """A value that an alert can hold; anything else as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)


class Enriching:
    """Hands alerts on with what enrichers add, in the order in which they came."""

    def __init__(self, workers: Sequence[Worker], give: Callable[[Alert], None]) -> None:
        self._workers, self._give = workers, give
        self._alerts: queue.Queue[Alert] = queue.Queue(WAITING)
        threading.Thread(target=self._run, name="eyas-enrichers", daemon=True).start()

    def __call__(self, alert: Alert) -> None:
        """Take an alert."""
        try:
            self._alerts.put_nowait(alert)
        except queue.Full:
            self._give(alert)

    def flush(self) -> None:
        """Wait until all are handed on."""
        self._alerts.join()

    def _run(self) -> None:
        while True:
            alert = self._alerts.get()
            try:
                self._give(enriched(alert, self._workers))
            except Exception as error:  # the alerts after it are handed on all the same
                _log().error("an alert was not handed on", rule=alert.rule, reason=str(error))
            finally:
                self._alerts.task_done()


def enriched(alert: Alert, workers: Sequence[Worker]) -> Alert:
    """The alert with what all of them add."""
    added: dict[str, Any] = {}
    for worker in workers:
        added = {**worker.fields(alert), **added}
    return replace(alert, fields={**added, **alert.fields}) if added else alert


def workers(found: Sequence[tuple[str, Any]]) -> tuple[list[Worker], list[str]]:
    """Those that are what they should be, and what is wrong with the others, each with its place."""
    good: dict[str, Worker] = {}
    faults = []
    for place, given in found:
        fault = next(_faults(given, good), None)
        if fault is None:
            good[given.name] = Worker(given)
        else:
            faults.append(f"{place} is left out: {fault}")
    return list(good.values()), faults


def _faults(given: Any, others: Mapping[str, Worker]) -> Iterator[str]:
    if not isinstance(given, Enricher):
        yield f"expected an Enricher, found {given!r:.60}"
    elif not isinstance(given.name, str) or not given.name:
        yield f"expected a name, found {given.name!r:.60}"
    elif not callable(given.enrich):
        yield f"enrich: expected a function, found {given.enrich!r:.60}"
    elif given.name in others:
        yield f"there is an enricher '{given.name}' already"


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.enrichers")
