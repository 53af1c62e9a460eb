"""The same thing again: repeats become one alert with a count, and nobody drowns an alert by making noise.

Time is that of the alerts, so a replay groups as the live run did. Memory is bounded: of more than `MOST`
groups the one that was quiet longest is forgotten, and its next alert counts as new.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from eyas.alert import SECOND, Alert
from eyas.delivery.pace import Bucket
from eyas.hub import entities
from eyas.rules.grouping import Grouping

MOST = 50_000
EXAMPLES = 5
EXAMPLE_LENGTH = 500
MINUTE = 60.0


class Fate(Enum):
    """What becomes of an alert."""

    RAISED = "raised"
    REPEAT = "repeat"  # counted in the alert that it repeats
    BELOW = "below threshold"
    LIMITED = "over the limit"
    KNOWN = "known"  # the alert itself once more: its sender did not hear our answer


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rules that say nothing themselves. `limit` is for one rule and workload, a minute."""

    window: float = 60.0
    quiet: float = 0.0
    threshold: int = 1
    limit: float = 600.0
    rule_limit: float = 6000.0


@dataclass(slots=True)
class Bundle:
    """Alerts of one identity within one window."""

    identity: str
    first: int
    last: int
    count: int = 0
    lead: str = ""  # id of the alert that was raised for all of them
    raised_at: int = 0
    until: int = 0
    told: int = 0  # count that the receivers heard last
    examples: list[str] = field(default_factory=list)

    def add(self, alert: Alert) -> None:
        """Count one more."""
        self.count += 1
        self.first, self.last = min(self.first, alert.ts), max(self.last, alert.ts)
        text = alert.message[:EXAMPLE_LENGTH]
        if len(self.examples) < EXAMPLES and text not in self.examples:
            self.examples.append(text)

    def facts(self) -> dict[str, Any]:
        """As it stands in the alert."""
        return {"id": self.identity, "count": self.count, "first": self.first, "last": self.last}


@dataclass(frozen=True, slots=True)
class Past:
    """A group as the store knows it."""

    identity: str
    lead: str
    rule: str
    ts: int
    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an alert, and with which others it belongs together."""

    fate: Fate
    bundle: Bundle


class Groups:
    """Decides about alerts one after the other."""

    def __init__(self, defaults: Defaults | None = None, rules: Mapping[str, Grouping] | None = None) -> None:
        self.defaults = defaults or Defaults()
        self._rules = dict(rules or {})
        self._bundles: OrderedDict[str, Bundle] = OrderedDict()
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self.held: Counter[tuple[str, str]] = Counter()  # (why, rule)

    def learn(self, rules: Mapping[str, Grouping]) -> None:
        """Take over what newly loaded rules say."""
        self._rules = dict(rules)

    def restore(self, past: Iterable[Past]) -> None:
        """Take up groups of before a restart, so that what was to stay quiet stays quiet; the oldest first."""
        for one in past:
            rule = self._rules.get(one.rule)
            window, quiet = (int(self._of(rule, what) * SECOND) for what in ("window", "quiet"))
            self._bundles[one.identity] = Bundle(
                one.identity, one.first, one.last, one.count, one.lead, raised_at=one.ts,
                until=max(one.first + window, one.ts + quiet), told=one.count,
            )  # fmt: skip
            self._bundles.move_to_end(one.identity)
            while len(self._bundles) > MOST:
                self._bundles.popitem(last=False)

    def decide(self, alert: Alert) -> Decision:
        """Decide about one alert."""
        rule = self._rules.get(alert.rule)
        identity = identity_of(alert, rule.group_by if rule else None)
        bundle = self._bundle(identity, alert, rule)
        if bundle.lead and (bundle.lead, bundle.raised_at) == (alert.eyas.get("id"), alert.ts):
            return Decision(Fate.KNOWN, bundle)
        bundle.add(alert)
        fate = self._fate(bundle, alert, rule)
        if fate is not Fate.RAISED:
            self.held[fate.value, alert.rule] += 1
        return Decision(fate, bundle)

    def _fate(self, bundle: Bundle, alert: Alert, rule: Grouping | None) -> Fate:
        if bundle.lead:
            return Fate.REPEAT
        if bundle.count < self._of(rule, "threshold"):
            return Fate.BELOW
        if not self._allowed(alert):
            return Fate.LIMITED
        bundle.lead = str(alert.eyas.get("id", ""))
        bundle.raised_at = alert.ts
        bundle.told = bundle.count
        bundle.until = max(bundle.until, alert.ts + int(self._of(rule, "quiet") * SECOND))
        return Fate.RAISED

    def _bundle(self, identity: str, alert: Alert, rule: Grouping | None) -> Bundle:
        bundle = self._bundles.get(identity)
        if bundle is None or alert.ts >= bundle.until:
            until = alert.ts + int(self._of(rule, "window") * SECOND)
            bundle = self._bundles[identity] = Bundle(identity, alert.ts, alert.ts, until=until)
        self._bundles.move_to_end(identity)
        self._forget(alert.ts)
        return bundle

    def _forget(self, now: int) -> None:
        """Let go of groups whose time is over, and of the quietest when there are too many."""
        for _ in range(2):
            oldest = next(iter(self._bundles.values()))
            if len(self._bundles) > MOST or (oldest.until < now and len(self._bundles) > 1):
                del self._bundles[oldest.identity]

    def _of(self, rule: Grouping | None, what: str) -> Any:
        said = getattr(rule, what) if rule else None
        return getattr(self.defaults, what) if said is None else said

    def _allowed(self, alert: Alert) -> bool:
        """Whether rule and workload have not raised too many lately; a workload's noise does not count for others."""
        now = alert.ts / SECOND
        own = self._bucket((alert.rule, entities.workload(alert)), self.defaults.limit, now)
        if not own.take(now):
            return False
        return self._bucket((alert.rule, ""), self.defaults.rule_limit, now).take(now)

    def _bucket(self, key: tuple[str, str], per_minute: float, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(per_minute / 60.0, per_minute)
        self._buckets.move_to_end(key)
        for _ in range(2):
            oldest, idle = next(iter(self._buckets.items()))
            # One that nobody took from for a minute is full, as a new one is.
            if len(self._buckets) > MOST or (idle.at + MINUTE < now and oldest != key):
                del self._buckets[oldest]
        return bucket


def identity_of(alert: Alert, wanted: tuple[str, ...] | None) -> str:
    """The same for the same rule about the same thing on the same machine."""
    parts = [alert.rule, alert.source, alert.hostname]
    parts += [f"{name}={value}" for name, value in entities.keys_of(alert, wanted).items()]
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()
