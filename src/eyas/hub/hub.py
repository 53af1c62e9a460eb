"""Where alerts go: grouped, kept on disk, handed to the receivers that want them.

`accept` is all that detection calls. It decides what becomes of an alert and hands it to the writer; it never waits
for a receiver. What is said aloud (`said`) is said once the alert is on disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import structlog

from eyas import alert as alerts
from eyas.alert import SECOND, Alert
from eyas.delivery import journal, stored
from eyas.delivery.worker import Watch, Worker
from eyas.delivery.writer import Ears, Writer
from eyas.hub import closing, growth, silences
from eyas.hub.activity import Activity, Notebook
from eyas.hub.discarded import Discarded
from eyas.hub.grouping import MOST, Bundle, Decision, Fate, Groups, Past
from eyas.hub.growth import Growth
from eyas.hub.routing import Router, Target
from eyas.hub.settings import INTERNAL, Settings
from eyas.hub.silences import Silence
from eyas.rules.grouping import Grouping

TICK = 1.0
REPORT_EVERY = 60.0

LIVE = 60 * SECOND  # an alert that is older than this when it comes is one of a replay
_GROUPS = (
    "SELECT a.identity, a.id, a.rule, a.ts, coalesce(b.first, a.ts), coalesce(b.last, a.ts), coalesce(b.count, 1)"
    " FROM alert a LEFT JOIN bundle b ON b.lead = a.id"
    " WHERE a.seq > (SELECT coalesce(max(seq), 0) - ? FROM alert) AND a.lead = '' AND a.identity != ''"
    " AND a.kept BETWEEN a.ts - ? AND a.ts + ? ORDER BY a.seq"
)

log = structlog.get_logger("eyas.hub")

Said = Callable[[Alert], None]


def _quietly(_: Alert) -> None:
    """Say nothing."""


def _named(gone: Counter[int]) -> dict[str, int]:
    """Numbers by the name of the severity."""
    return {stored.SEVERITIES[number]: count for number, count in sorted(gone.items())}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a hub is made of."""

    settings: Settings
    targets: Sequence[Target] = ()
    rules: Mapping[str, Grouping] | None = None
    said: Said = _quietly


class Hub:
    """Accepts alerts until it is closed."""

    def __init__(self, plan: Plan) -> None:
        settings = plan.settings
        self.folder = settings.folder()
        self.settings = settings
        self.router = Router(tuple(plan.targets), tuple(settings.routes))
        self.groups = Groups(settings.defaults(), plan.rules)
        self.started = time.time()
        self.accepted: Counter[str] = Counter()  # by source
        self._said = plan.said
        self._lock = threading.RLock()
        self._dirty: dict[str, Bundle] = {}
        self._growth = Growth()
        self._discarded = Discarded()
        self._silences: list[Silence] = []
        self._held_by: Counter[int] = Counter()
        self._unreported: Counter[tuple[str, str]] = Counter()
        self._unsaved: Counter[tuple[str, str]] = Counter()
        self.writer = Writer(self.folder, settings.policy(), Ears(self._kept, self._gone))
        self.notebook = Notebook(self.writer, alerts.hostname())
        self._turn: IO[bytes] | None = None
        self.workers: list[Worker] = []
        self._stop = threading.Event()
        self._reported = time.monotonic()
        self._read_silences()
        self._read_groups()
        if not self._take_turn():
            names = [target.receiver.name for target in plan.targets]
            log.warning(
                "another process delivers from this store; receivers wait until it ends", outputs=names
            )
        self._ticker = threading.Thread(target=self._tick, name="eyas-hub", daemon=True)
        self._ticker.start()

    def accept(self, alert: Alert, *, without: str = "") -> None:
        """Take an alert."""
        with self._lock:
            if alert.eyas.get("amended"):
                self._amend(alert)
                return
            self.accepted[alert.source] += 1
            if alert.eyas.get("test"):
                self._try(alert)
                return
            silence = silences.covering(self._silences, alert)
            if silence is not None:
                self._held_by[silence.number] += 1
                self.writer.put(stored.entry_of(alert, status="silenced"))
            else:
                self._sort(alert, self.groups.decide(alert), without)
            self.writer.say(lambda: self._said(alert))

    def observe(self, activity: Activity) -> None:
        """Note something that happened, for trails."""
        self.notebook.add(activity)

    def learn(self, rules: Mapping[str, Grouping]) -> None:
        """Take over what newly loaded rules say about repeats."""
        with self._lock:
            self.groups.learn(rules)

    def tell(
        self, rule: str, message: str, fields: Mapping[str, Any] | None = None, *, without: str = ""
    ) -> None:
        """Raise an alert about ourselves."""
        now = time.time_ns()
        self.accept(
            Alert(
                rule=f"Eyas: {rule}",
                priority="Warning",
                source=INTERNAL,
                tags=("eyas",),
                ts=now,
                message=message,
                fields=dict(fields or {}),
                hostname=alerts.hostname(),
                eyas={"id": alerts.identity(f"{rule} {message}", os.getpid(), now), "attack": []},
            ),
            without=without,
        )

    def flush(self) -> bool:
        """Wait until all that was accepted is on disk."""
        with self._lock:
            self._save()
        return self.writer.flush()

    def close(self, drain: float = 5.0) -> bool:
        """Write what is left, give receivers that answer a last while, and stop; tells whether all was delivered."""
        with self._lock:
            self._tell_growth(self._growth.rest())
        self._tell_left_out()
        self.flush()
        self._tell_gone(self._discarded.rest())
        self._stop.set()
        self._ticker.join(5)
        deadline = time.monotonic() + drain
        done = [worker.drain(max(0.0, deadline - time.monotonic())) for worker in self.workers]
        for worker in self.workers:
            worker.close()
        with self._lock:
            self._save()
        self.writer.close()
        if rest := self._discarded.rest():
            log.error("alerts were discarded", **_named(rest))
        if self._turn is not None:
            self._turn.close()
        return all(done)

    def _sort(self, alert: Alert, decision: Decision, without: str) -> None:
        bundle = decision.bundle
        if decision.fate is Fate.KNOWN:
            return
        if decision.fate is Fate.RAISED:
            outputs = self.router.receivers(alert, repeat=False, without=without)
            more: dict[str, Any] = {"group": bundle.facts()}
            if not bundle.lead:
                bundle.lead = more["id"] = stored.entry_of(alert).id
            self.writer.put(stored.entry_of(alert, bundle.identity, outputs, more=more))
            if bundle.count > 1:
                self._dirty[bundle.lead] = bundle
            return
        if decision.fate is Fate.REPEAT:
            self._dirty[bundle.lead] = bundle
            self._growth.saw(bundle)
        self._unreported[decision.fate.value, alert.rule] += decision.fate is Fate.LIMITED
        self._unsaved[decision.fate.value, alert.rule] += 1
        outputs = self.router.receivers(alert, repeat=True, without=without)
        if outputs:
            self.writer.put(stored.entry_of(alert, bundle.identity, outputs, bundle.lead or "-"))

    def _try(self, alert: Alert) -> None:
        """A test goes to every receiver: no group, silence or limit holds it back."""
        names = tuple(target.receiver.name for target in self.router.targets)
        self.writer.put(stored.entry_of(alert, outputs=names))
        self.writer.say(lambda: self._said(alert))

    def _amend(self, alert: Alert) -> None:
        """An alert that came before all was known comes again, complete: it replaces what is kept."""
        entry = stored.entry_of(alert)
        self.writer.change(
            lambda db: db.execute(
                "UPDATE alert SET body = ?, container = ? WHERE id = ?",
                (entry.body, entry.container, entry.id),
            )
        )
        self.writer.say(lambda: self._said(alert))

    def _kept(self, entries: Sequence[journal.Entry]) -> None:
        if any(entry.outputs for entry in entries):
            self._wake()

    def _gone(self, gone: Counter[int]) -> None:
        """Alerts had to go that someone waited for. The ticker tells of them: the writer has to go on writing."""
        self._discarded.add(gone)

    def _tell_gone(self, gone: Counter[int]) -> None:
        if not gone:
            return
        named = _named(gone)
        text = ", ".join(f"{count} {name}" for name, count in named.items())
        log.error("alerts were discarded", **named)
        why = f"the store is full: {text} alerts were discarded before they were delivered"
        self.tell("alerts were discarded", why, named)

    def _worker(self, target: Target) -> Worker:
        watch = Watch(self._dead, self._back, self._refused, self.settings.dead_after)
        return Worker(target.receiver, self.folder, self.writer, watch)

    def _dead(self, name: str, reason: str) -> None:
        self.tell(
            "receiver does not answer",
            f"output {name} does not answer: {reason}",
            {"output": name, "reason": reason},
            without=name,
        )

    def _back(self, name: str, _: str) -> None:
        self.tell("receiver is back", f"output {name} answers again", {"output": name})

    def _refused(self, name: str, reason: str) -> None:
        self.tell(
            "receiver refuses alerts",
            f"output {name} will never take an alert it was sent: {reason}; `eyas outputs retry {name}` sends it again",
            {"output": name, "reason": reason},
            without=name,
        )

    def _take_turn(self) -> bool:
        """Begin to deliver, unless another process does: any number adds to a store, one at a time delivers from it."""
        targets = self.router.targets
        if self._turn is not None or not targets:
            return True
        file = (self.folder / "deliver.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._turn = file
        names = [target.receiver.name for target in targets if target.takes_back]
        self.writer.change(lambda db: closing.announce(db, names))
        self.workers = [self._worker(target) for target in targets]
        for worker in self.workers:
            worker.start()
        return True

    def _tick(self) -> None:
        while not self._stop.wait(TICK):
            with self._lock:
                self._tell_growth(self._growth.due())
                self._save()
            self._read_silences()
            self._tell_gone(self._discarded.due())
            self._take_turn()
            if time.monotonic() - self._reported >= REPORT_EVERY:
                self._reported = time.monotonic()
                self.report()

    def report(self) -> None:
        """Say what the limits held back since the last report."""
        with self._lock:
            held, self._unreported = +self._unreported, Counter()
        for (why, rule), count in held.items():
            text = f"{count} alerts of rule {rule} were held back: {why}"
            self.tell("alerts were held back", text, {"rule": rule, "count": count, "why": why})
        self._tell_left_out()

    def _tell_left_out(self) -> None:
        count = self.notebook.left_out()
        if count:
            text = f"{count} notes for trails were left out: they came faster than the disk takes them"
            self.tell("notes were left out", text, {"count": count})

    def _tell_growth(self, bundles: Sequence[Bundle]) -> None:
        """Let receivers know how often it has happened by now."""
        if not self.settings.updates or not bundles:
            return
        for bundle in bundles:
            told = (bundle.lead, growth.news(bundle), self.router.news)
            self.writer.change(lambda db, told=told: growth.tell(db, *told))  # type: ignore[misc]
        self.writer.say(self._wake)

    def _wake(self) -> None:
        for worker in self.workers:
            worker.wake()

    def _save(self) -> None:
        """Hand counts and groups to the writer; called with the lock."""
        self.notebook.save()
        bundles, self._dirty = self._dirty, {}
        held, self._held_by = self._held_by, Counter()
        unsaved, self._unsaved = self._unsaved, Counter()
        if not (bundles or held or unsaved):
            return
        rows = [
            (
                b.lead,
                b.count,
                b.first,
                b.last,
                json.dumps(b.examples, ensure_ascii=False).encode("utf-8", "replace").decode(),
            )
            for b in bundles.values()
        ]

        def change(db: sqlite3.Connection) -> None:
            db.executemany(
                "INSERT INTO bundle VALUES (?,?,?,?,?) ON CONFLICT(lead) DO UPDATE SET"
                " count = excluded.count, first = excluded.first, last = excluded.last, examples = excluded.examples",
                rows,
            )
            for number, more in held.items():
                silences.held(db, number, more)
            for (why, rule), more in unsaved.items():
                journal.count(db, f"held:{why}:{rule}".encode("utf-8", "replace").decode(), more)

        self.writer.change(change)

    def _read_groups(self) -> None:
        """Go on with groups of before a restart. Those of replays are left: a replay begins anew each time."""
        with contextlib.suppress(sqlite3.Error):
            db = journal.connect(self.folder, readonly=True)
            try:
                self.groups.restore([Past(*row) for row in db.execute(_GROUPS, (MOST, LIVE, LIVE))])
            finally:
                db.close()

    def _read_silences(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            db = journal.connect(self.folder, readonly=True)
            try:
                found = silences.every(db)
            finally:
                db.close()
            with self._lock:
                self._silences = found
