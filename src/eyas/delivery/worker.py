"""One thread for each receiver: takes what waits, sends it, and waits longer the longer it fails.

A receiver that hangs holds up its own thread and nothing else. Order is kept: what has to come back
keeps those behind it waiting. An answer "never" takes one alert out, and is found by halving a batch.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

from eyas.alert import Alert
from eyas.delivery import journal, pace, stored
from eyas.delivery.journal import Queued
from eyas.delivery.request import Answer, Outcome, Request, Sender, delivered, refused, retry
from eyas.delivery.writer import Change
from eyas.errors import EyasError

IDLE = 5.0  # seconds between two looks for what another process put into the queue
DEAD_AFTER = 30.0

log = structlog.get_logger("eyas.delivery")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Someone who gets alerts. `plan` gives one request for each alert, or fewer where `grouped`."""

    name: str
    plan: Callable[[Sequence[Alert]], Sequence[Request]]
    open: Callable[[], Sender]
    batch: int = 1
    grouped: bool = False
    lanes: int = 1
    rate: float = 0.0  # requests a second; 0 is no limit
    linger: float = 0.0  # seconds that a batch which is not full waits for more
    hide: Callable[[str], str] = str  # takes secrets out of a text
    unworded: Callable[[], int] = lambda: 0  # alerts that went out without their template, which failed


@dataclass(slots=True)
class Figures:
    """What happened to one receiver since the start."""

    attempts: int = 0
    delivered: int = 0
    failures: int = 0
    refused: int = 0
    failures_in_row: int = 0
    failing_since: float | None = None
    reason: str = ""
    last_success: float | None = None


class Changes(Protocol):
    """Takes changes of the store."""

    def change(self, change: Change) -> None:
        """Commit it with the next group."""

    def flush(self, timeout: float = ...) -> bool:
        """Wait until all is committed."""


Told = Callable[[str, str], None]


@dataclass(slots=True)
class Watch:
    """Who hears that a receiver is dead, that it is back, and what it will never take."""

    dead: Told = lambda _name, _reason: None
    back: Told = lambda _name, _reason: None
    refused: Told = lambda _name, _reason: None
    after: float = DEAD_AFTER


@dataclass(slots=True)
class _Batch:
    """What came of one batch: how far it is settled, and why it stopped."""

    settled: int = 0
    stopped: Answer | None = None
    refusals: list[tuple[int, str]] = field(default_factory=list)


class Worker:
    """Delivers to one receiver until it is closed."""

    def __init__(self, receiver: Receiver, folder: Path, writer: Changes, watch: Watch | None = None) -> None:
        self.receiver = receiver
        self.figures = Figures()
        self._folder = folder
        self._writer = writer
        self._watch = watch or Watch()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._chance = random.Random()
        self._bucket = pace.Bucket(receiver.rate, max(1.0, receiver.rate))
        self._senders: list[Sender] = []
        self._after = 0
        self._said_dead = False
        self._say_refused = 1
        self._first_seen: float | None = None
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"eyas-{receiver.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something may wait."""
        self._wake.set()

    def close(self, timeout: float = 5.0) -> None:
        """Stop after the request that is on its way; what waits stays in the queue."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits any more, or the receiver fails."""
        deadline = time.monotonic() + timeout
        self._hurry.set()
        while time.monotonic() < deadline and not self._closing.is_set():
            if self.figures.failing_since is not None:
                return False
            if self._depth() == 0:
                return True
            self._wake.set()
            self._closing.wait(0.02)
        return False

    def _depth(self) -> int:
        self._writer.flush()
        db = journal.connect(self._folder, readonly=True)
        try:
            return journal.depth(db, self.receiver.name).count
        finally:
            db.close()

    def _run(self) -> None:
        db = journal.connect(self._folder, readonly=True)
        try:
            while not self._closing.is_set():
                self._wake.clear()
                batch = self._next(db)
                if batch and self._ripe(batch):
                    self._round(batch)
                else:
                    self._wake.wait(IDLE)
        finally:
            for sender in self._senders:
                sender.close()
            db.close()

    def _ripe(self, batch: Sequence[Queued]) -> bool:
        """Whether to send now: the batch is full, or its first alert has waited for others long enough."""
        if self.receiver.linger <= 0 or len(batch) >= self.receiver.batch or self._hurry.is_set():
            self._first_seen = None
            return True
        now = time.monotonic()
        self._first_seen = self._first_seen if self._first_seen is not None else now
        if now - self._first_seen < self.receiver.linger:
            return False
        self._first_seen = None
        return True

    def _next(self, db: sqlite3.Connection) -> list[Queued]:
        limit = self.receiver.lanes * max(1, self.receiver.batch)
        batch = journal.waiting(db, self.receiver.name, limit, self._after)
        if batch or not self._after:
            return batch
        # Nothing new: once all is committed, see whether something older was put back.
        self._after = 0
        self._writer.flush()
        return journal.waiting(db, self.receiver.name, limit)

    def _round(self, batch: Sequence[Queued]) -> None:
        size = max(1, self.receiver.batch)
        parts = [batch[i : i + size] for i in range(0, len(batch), size)]
        if len(parts) == 1:
            results = [self._deliver(batch, 0)]
        else:
            with ThreadPoolExecutor(len(parts)) as pool:
                results = list(pool.map(self._deliver, parts, range(len(parts))))
        for part, result in zip(parts, results, strict=True):
            self._settle(part, result)
        self._advance(parts, results)
        stopped = next((result.stopped for result in results if result.stopped), None)
        if stopped is not None:
            self._failed(stopped)

    def _advance(self, parts: Sequence[Sequence[Queued]], results: Sequence[_Batch]) -> None:
        """Go on behind the last alert before which all is settled; acknowledgements are still on their way."""
        for part, result in zip(parts, results, strict=True):
            if result.settled:
                self._after = part[result.settled - 1].seq
            if result.stopped:
                return

    def _settle(self, part: Sequence[Queued], result: _Batch) -> None:
        name = self.receiver.name
        never = dict(result.refusals)
        done = [item.seq for item in part[: result.settled] if item.seq not in never]
        for seq, reason in result.refusals:
            self._writer.change(lambda db, seq=seq, reason=reason: journal.refuse(db, name, [seq], reason))  # type: ignore[misc]
        self._refused([reason for _, reason in result.refusals])
        if done:
            self._writer.change(lambda db: journal.acknowledge(db, name, done))
            self.figures.delivered += len(done)
            self._worked()

    def _refused(self, reasons: Sequence[str]) -> None:
        """Count alerts that the receiver will never take; the first, tenth, hundredth ... is said."""
        for reason in reasons:
            self.figures.refused += 1
            if self.figures.refused == self._say_refused:
                self._say_refused *= 10
                log.warning("refused", output=self.receiver.name, count=self.figures.refused, reason=reason)
                self._watch.refused(self.receiver.name, reason)

    def _deliver(self, batch: Sequence[Queued], lane: int) -> _Batch:
        """Send some alerts; halves the batch until the one that is refused stands alone."""
        answers = self._attempt(batch, lane)
        result = _Batch()
        for item, answer in zip(batch, answers, strict=True):
            if answer.outcome is Outcome.RETRY:
                result.stopped = answer
                return result
            if answer.outcome is Outcome.REFUSED:
                if self.receiver.grouped and len(batch) > 1:
                    return self._halves(batch, lane)
                result.refusals.append((item.seq, answer.reason))
            result.settled += 1
        return result

    def _halves(self, batch: Sequence[Queued], lane: int) -> _Batch:
        middle = len(batch) // 2
        first = self._deliver(batch[:middle], lane)
        if first.stopped:
            return first
        second = self._deliver(batch[middle:], lane)
        return _Batch(first.settled + second.settled, second.stopped, first.refusals + second.refusals)

    def _attempt(self, batch: Sequence[Queued], lane: int) -> Sequence[Answer]:
        """One answer for each alert."""
        try:
            alerts = [stored.decode(item.body) for item in batch]
            requests = self.receiver.plan(alerts)
        except Exception as error:  # the settings of a receiver and the fields of an alert meet here
            return self._broken(batch, lane, error)
        self._paced(len(requests))
        self.figures.attempts += 1
        try:
            answers = self._sender(lane).send(requests)
        except Exception as error:  # a client library may raise anything
            answers = [retry(self.receiver.hide(f"{type(error).__name__}: {error}")[:300])] * len(requests)
        if not self.receiver.grouped:
            return answers
        worst = next(
            (a for kind in (Outcome.RETRY, Outcome.REFUSED) for a in answers if a.outcome is kind), None
        )
        return [worst or delivered()] * len(batch)

    def _broken(self, batch: Sequence[Queued], lane: int, error: Exception) -> Sequence[Answer]:
        """An alert that cannot be put into words for this receiver is refused; the others are not to suffer."""
        if len(batch) > 1:
            return [answer for item in batch for answer in self._attempt([item], lane)]
        words = str(error) if isinstance(error, EyasError) else f"{type(error).__name__}: {error}"
        return [refused(self.receiver.hide(f"no request could be made: {words}"))]

    def _paced(self, requests: int) -> None:
        if self.receiver.rate <= 0:
            return
        for _ in range(requests):
            while not self._bucket.take(time.monotonic()) and not self._closing.is_set():
                self._closing.wait(self._bucket.delay(time.monotonic()))

    def _sender(self, lane: int) -> Sender:
        while len(self._senders) <= lane:
            self._senders.append(self.receiver.open())
        return self._senders[lane]

    def _worked(self) -> None:
        figures = self.figures
        figures.last_success = time.time()
        if figures.failing_since is None:
            return
        figures.failing_since = None
        figures.failures_in_row = 0
        figures.reason = ""
        log.info("receiver is back", output=self.receiver.name)
        if self._said_dead:
            self._said_dead = False
            self._watch.back(self.receiver.name, "")

    def _failed(self, answer: Answer) -> None:
        figures, now = self.figures, time.time()
        figures.failures += 1
        figures.failures_in_row += 1
        reason = figures.reason = self.receiver.hide(answer.reason)
        if figures.failing_since is None:
            figures.failing_since = now
            log.warning("receiver fails", output=self.receiver.name, reason=reason)
        if not self._said_dead and now - figures.failing_since >= self._watch.after:
            self._said_dead = True
            self._watch.dead(self.receiver.name, reason)
        self._closing.wait(pace.backoff(figures.failures_in_row, answer.after, self._chance))
