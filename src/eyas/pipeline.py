"""The story on one page: events in, matches, alerts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas import _core, alert
from eyas.alert import Alert
from eyas.catalog import KERNEL
from eyas.errors import RunError
from eyas.hub import activity
from eyas.lang import Placeholder
from eyas.rules import Compiled

BATCH = 1 << 16

NOTHING = "<NA>"

Progress = Callable[[int, int | None], None]
Player = _core.Replay | _core.Logs


@dataclass(slots=True)
class Tally:
    """What was seen and raised."""

    events: int = 0
    alerts: int = 0
    lost: int = 0
    unknown_events: int = 0
    skipped: int = 0
    skipped_at: int | None = None
    untimed: int = 0
    untimed_at: int | None = None
    seconds: float = 0.0
    known: dict[str, int] = field(default_factory=dict)  # how many threads and files, by names of metrics
    ledger: dict[str, dict[str, int]] = field(default_factory=dict)  # class → sent, lost, read
    by_rule: Counter[str] = field(default_factory=Counter)
    by_priority: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)  # what rules were not let say, by rule
    warnings: list[tuple[int, str]] = field(default_factory=list)

    def take(self, stats: dict[str, Any]) -> None:
        """Take over the figures of the core."""
        self.events = stats["events"]
        self.lost = stats["lost"]
        self.unknown_events = stats["unknown_events"]
        self.skipped = stats.get("skipped", 0)
        self.skipped_at = stats.get("skipped_at")
        self.untimed = stats.get("untimed", 0)
        self.untimed_at = stats.get("untimed_at")
        self.seconds = stats["seconds"]
        self.known = stats.get("known", {})
        self.ledger = stats.get("ledger", {})
        self.warnings = stats.get("warnings", [])

    def count(self, raised: Alert) -> None:
        """Count an alert; notes for trails are none."""
        if activity.TAG in raised.tags:
            return
        self.alerts += 1
        self.by_rule[raised.rule] += 1
        self.by_priority[raised.priority] += 1

    def add(self, more: Tally) -> None:
        """Take another's figures into the total."""
        self.events += more.events
        self.alerts += more.alerts
        self.lost += more.lost
        self.unknown_events += more.unknown_events
        self.skipped += more.skipped
        self.untimed += more.untimed
        self.seconds += more.seconds
        self.by_rule += more.by_rule
        self.by_priority += more.by_priority

    def json(self) -> dict[str, Any]:
        """The figures that `--stats` writes."""
        rate = self.events / self.seconds if self.seconds else 0.0
        return {
            "events": self.events,
            "alerts": self.alerts,
            "lost": self.lost,
            "held": self.held.total(),
            "unknown_events": self.unknown_events,
            "skipped": self.skipped,
            "untimed": self.untimed,
            "seconds": round(self.seconds, 6),
            "events_per_second": round(rate, 1),
            **({"ledger": self.ledger, "known": self.known} if self.ledger else {}),
        }


def compile_rules(rules: Sequence[Compiled], ir: bytes, source: str = KERNEL) -> _core.Program:
    """Hand the rules of a source to the core; matches keep the numbers that all rules have."""
    try:
        return _core.Program(ir, source)
    except _core.CoreError as error:
        raise RunError(f"the core refused {len(rules)} rules: {error}") from None


def alert_of(match: _core.Match, rule: Compiled, host: str) -> Alert:
    """Make the alert of a match; of a note for trails there is no more than its fields."""
    if activity.TAG in rule.tags:
        fields = _fields(match, rule)
        return Alert(rule.name, rule.priority_name, rule.source, rule.tags, match.ts, "", fields, host, {})
    return Alert(
        rule=rule.name,
        priority=rule.priority_name,
        source=rule.source,
        tags=rule.tags,
        ts=match.ts,
        message=_text(match, rule.template.segments),
        fields=_fields(match, rule),
        hostname=host,
        eyas={
            "id": alert.identity(rule.name, match.num, match.ts),
            "attack": alert.techniques(rule.tags),
            "event": {"num": match.num, "type": match.event, "ts": match.ts},
            **_carried(match, rule),
        },
    )


def _text(match: _core.Match, segments: Sequence[str | Placeholder]) -> str:
    """A template filled with the values of a match."""
    values = match.values
    return "".join(
        part if isinstance(part, str) else _fitted(values[part.operand][0], part.width) for part in segments
    )


def _fields(match: _core.Match, rule: Compiled) -> dict[str, Any]:
    """The output fields: those of the output, and those that the configuration adds."""
    values = match.values
    found = {key: values[operand][1] for key, operand in (*rule.template.fields, *rule.extras.fields)}
    return found | {key: _text(match, segments) for key, segments in rule.extras.texts}


def _carried(match: _core.Match, rule: Compiled) -> dict[str, Any]:
    """What the match brought along beside its output, for grouping and for the trail."""
    values = match.values
    found = {
        key: value for key, operand in rule.carried if (value := values[operand][1]) not in (None, NOTHING)
    }
    return {"carried": found} if found else {}


def _fitted(text: str, width: int | None) -> str:
    return text if width is None else text[:width].ljust(width)


def replay(
    path: Path,
    rules: Sequence[Compiled],
    program: _core.Program | None,
    tally: Tally,
    *,
    write: Path | None = None,
    keep: _core.Program | None = None,
    progress: Progress | None = None,
) -> Iterator[Alert]:
    """Play a capture; alerts come in the order of its events."""

    def player() -> Player:
        return _core.Replay(str(path), program, write=str(write) if write else None, keep=keep)

    return _play(player, path, rules, tally, progress)


def replay_logs(
    path: Path,
    rules: Sequence[Compiled],
    program: _core.Program,
    tally: Tally,
    *,
    progress: Progress | None = None,
) -> Iterator[Alert]:
    """Judge the records of a file by the rules of their source; alerts come in the order of the records."""

    def player() -> Player:
        return _core.Logs(str(path), program, hostname=alert.hostname())

    return _play(player, path, rules, tally, progress)


def _play(
    start: Callable[[], Player],
    path: Path,
    rules: Sequence[Compiled],
    tally: Tally,
    progress: Progress | None,
) -> Iterator[Alert]:
    host = alert.hostname()
    try:
        player = start()
        ended = False
        while not ended:
            matches, ended = player.next(BATCH)
            for match in matches:
                raised = alert_of(match, rules[match.rule], host)
                tally.count(raised)
                yield raised
            stats = player.stats()
            tally.take(stats)
            if progress is not None:
                progress(stats["position"], stats["size"])
    except OSError as error:
        raise RunError(f"{error.filename or path}: {(error.strerror or str(error)).lower()}") from None
    except _core.CoreError as error:
        raise RunError(str(error)) from None
