"""The run of all feeds: each reads in a thread of its own, one thread judges, and nothing is done before it is safe."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eyas.alert import Alert
from eyas.errors import EyasError, PassingError, UsageError
from eyas.hub import activity
from eyas.intake import notices
from eyas.intake.configured import Feed
from eyas.intake.judging import Judge, Judgement
from eyas.intake.lane import Lane
from eyas.transports.checkpoint import Checkpoints
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.patience import StoppedError
from eyas.transports.status import Status

# Parcels, and their bytes, that wait for the judge: at most so many are one commit.
GROUP, GROUP_BYTES = 256, 16 << 20
REPORT = 2.0  # seconds between two reports of how feeds do
PAUSES = (1.0, 5.0, 30.0, 60.0, 300.0)

# Stores alerts; returns when they are safe, or raises EyasError.
Sink = Callable[[Sequence[Alert]], None]


@dataclass(slots=True)
class Line:
    """A feed that runs."""

    feed: Feed
    link: Link
    open: set[str] = field(default_factory=set)
    handed_on: int = 0  # written by the feed's thread only
    finished: int = 0  # written by the judge's thread only
    ended: bool = False
    told_silent: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A parcel with what was found in it."""

    line: Line
    parcel: Parcel
    judgement: Judgement
    fresh: list[Alert]


class Intake:
    """All feeds of a run."""

    def __init__(
        self, feeds: Sequence[Feed], judges: Mapping[str, Judge], store: Checkpoints, sink: Sink
    ) -> None:
        self._judges = dict(judges)
        self._store = store
        self._sink = sink
        self._stop = threading.Event()
        self._arrived: Lane[tuple[Line, Parcel]] = Lane(GROUP, GROUP_BYTES)
        self._lines = [self._line(feed) for feed in feeds]
        self._threads: list[threading.Thread] = []
        self._beside: dict[str, Status] = {}
        self._reported = 0.0

    def _line(self, feed: Feed) -> Line:
        line = Line(feed, Link(Status(feed.name), stop=self._stop))
        line.link.seen = functools.partial(self._is_known, line)
        line.link.failed = functools.partial(self._failed, line)
        line.link.begin = functools.partial(self._store.commit, feed.name)
        line.link.status.heard = self._report
        return line

    def _is_known(self, line: Line, key: str) -> bool:
        return key in line.open or self._store.has(line.feed.name, key)

    def _report(self, status: Status) -> None:
        with contextlib.suppress(EyasError, OSError):
            self._store.report(status.feed, status.json())

    @property
    def statuses(self) -> list[Status]:
        """How each feed does."""
        return [line.link.status for line in self._lines]

    def adopt(self, status: Status) -> Callable[[EyasError], None]:
        """Report something beside the feeds too; the returned function raises the alert that it failed."""
        status.heard = self._report
        self._beside[status.feed] = status
        return lambda error: self._told(status.feed, error)

    def _told(self, name: str, error: EyasError) -> None:
        _log().error("failed", source=name, reason=str(error))
        self._raise(notices.failed(name, str(error)))

    def stop(self) -> None:
        """End the run; what is not safe comes again at the next start."""
        self._stop.set()

    def reload(self, judges: Mapping[str, Judge]) -> None:
        """Put other rules in force, from the next parcel on."""
        self._judges = dict(judges)

    def run(self) -> None:
        """Run until stopped, or until every feed has come to an end."""
        for line in self._lines:
            thread = threading.Thread(
                target=self._read, args=(line,), name=f"feed {line.feed.name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        try:
            while not self._stop.is_set() and not self._is_over():
                if group := self._arrived.take(0.5):
                    self._deal_with(group)
                self._look_around()
        except Exception:
            _log().exception("the sources are no longer read")
            self._raise(notices.failed("all", "a fault of Eyas; see the log"))
            raise
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(5)
            for status in (*self.statuses, *self._beside.values()):
                self._report(status)

    def _is_over(self) -> bool:
        return all(line.ended for line in self._lines) and not self._arrived

    # What one feed does.

    def _read(self, line: Line) -> None:
        failures = 0
        while not self._stop.is_set():
            status, before = line.link.status, line.link.status.parcels
            try:
                line.link.mark = self._store.mark(line.feed.name)
                for parcel in line.feed.way.open(line.feed.settings, line.link):
                    if not self._hand_on(line, parcel):
                        return
                line.ended = True
                status.turn("stopped" if self._stop.is_set() else "ended")
                return
            except StoppedError:
                return
            except UsageError as error:
                line.ended = True
                self._failed(line, error)
                return
            except PassingError as error:
                status.turn("waiting", str(error))
            except Exception as error:  # a feed that breaks must not take the others with it
                self._failed(line, error)
            failures = 0 if status.parcels > before else failures + 1
            self._settle_down(line, PAUSES[min(failures, len(PAUSES) - 1)])

    def _settle_down(self, line: Line, pause: float) -> None:
        """Wait before the next try, and until what is under way is safe, so that it is not read twice."""
        line.link.status.retries += 1
        self._stop.wait(pause)
        while line.handed_on > line.finished and not self._stop.wait(0.05):
            pass

    def _hand_on(self, line: Line, parcel: Parcel) -> bool:
        line.link.status.arrived(len(parcel.body))
        line.handed_on += 1
        if parcel.key:
            line.open.add(parcel.key)
        while not self._stop.is_set():
            if self._arrived.put((line, parcel), len(parcel.body), 0.5):
                return True
        return False

    def _failed(self, line: Line, error: Exception) -> None:
        status = line.link.status
        hint = f" ({error.hint})" if isinstance(error, EyasError) and error.hint else ""
        again = (status.state, status.detail) == ("failed", f"{error}{hint}")
        status.turn("failed", f"{error}{hint}")
        if not again:
            _log().error("feed failed", source=line.feed.name, reason=str(error), kind=type(error).__name__)
            self._raise(notices.failed(line.feed.name, str(error)))

    # What the judge does.

    def _deal_with(self, group: list[tuple[Line, Parcel]]) -> None:
        taken: set[str] = set()
        judged = [self._judged(line, parcel, taken) for line, parcel in group]
        alerts = [alert for one in judged for alert in one.fresh]
        safe = self._patiently(lambda: self._sink(alerts)) if alerts else True
        if safe and self._patiently(lambda: self._commit(judged)):
            for one in judged:
                self._finish(one)
        else:
            for one in judged:
                one.parcel.settle(Outcome.AGAIN)

    def _commit(self, judged: Sequence[Judged]) -> None:
        for one in judged:
            keys = [alert.eyas["id"] for alert in one.fresh]
            keys += [one.parcel.key] if one.parcel.key else []
            if keys or one.parcel.mark is not None:
                self._store.commit(one.line.feed.name, one.parcel.mark, keys)

    def _judged(self, line: Line, parcel: Parcel, taken: set[str]) -> Judged:
        judgement = self._judges[line.feed.source.name].judge(parcel)
        for offset, reason in judgement.refusals:
            line.link.status.refuse("not a record", f"{parcel.origin}+{offset}", reason)
        if judgement.skipped:
            place = f"{parcel.origin}+{judgement.skipped_at}"
            line.link.status.refuse("no event", place, line.feed.source.skips, judgement.skipped)
        if judgement.untimed:
            line.link.status.date(f"{parcel.origin}+{judgement.untimed_at}", judgement.untimed)
        fresh = [alert for alert in judgement.alerts if self._is_new(line, alert, taken)]
        raised = _alerts(fresh)
        line.link.status.repeated += _alerts(judgement.alerts) - raised
        line.link.status.events += judgement.events
        line.link.status.alerts += raised
        return Judged(line, parcel, judgement, [_marked(alert, line.feed.name) for alert in fresh])

    def _is_new(self, line: Line, alert: Alert, taken: set[str]) -> bool:
        """Whether an alert was not raised before; `taken` holds those of the same commit."""
        key = f"{line.feed.name}\0{alert.eyas['id']}"
        known = key in taken or self._store.has(line.feed.name, alert.eyas["id"])
        taken.add(key)
        return not known

    def _patiently(self, store: Callable[[], None]) -> bool:
        """Store something, trying until it succeeds; false when the run ends before."""
        pause = 0.5
        while True:
            try:
                store()
                return True
            except EyasError as error:
                _log().error("not stored, trying again", reason=str(error))
            if self._stop.wait(pause):
                return False
            pause = min(pause * 2, 30.0)

    def _finish(self, one: Judged) -> None:
        judgement = one.judgement
        hopeless = judgement.refusals and not judgement.events
        one.line.open.discard(one.parcel.key)
        one.line.finished += 1
        try:
            one.parcel.settle(Outcome.REFUSED if hopeless else Outcome.SAFE)
        except EyasError as error:  # the sender was not told: it sends again, and that is known then
            one.line.link.status.turn("waiting", str(error))

    def _look_around(self) -> None:
        """Report now and then, and say which feeds have gone silent."""
        now = time.time()
        if now - self._reported < REPORT:
            return
        self._reported = now
        for status in self._beside.values():
            self._report(status)
        for line in self._lines:
            self._report(line.link.status)
            quiet = now - max(line.link.status.last, line.link.status.started)
            if line.feed.silent and quiet > line.feed.silent and not line.ended:
                if not line.told_silent:
                    self._raise(notices.silent(line.feed.name, quiet))
                line.told_silent = True
            else:
                line.told_silent = False

    def _raise(self, alert: Alert) -> None:
        with contextlib.suppress(EyasError):
            self._sink([alert])


def _alerts(found: Sequence[Alert]) -> int:
    """How many are alerts, and not notes for a trail."""
    return sum(activity.of_alert(one) is None for one in found)


def _marked(alert: Alert, feed: str) -> Alert:
    return replace(alert, eyas={**alert.eyas, "feed": feed})


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.intake")
