"""What a run tells the metrics about itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eyas import watch
from eyas.hub import activity
from eyas.hub.metrics import Ask, RuleInfo, Sensor
from eyas.rules import Compiled


def of_watch(watched: watch.Watch, files: Sequence[Path]) -> Ask:
    """Figures of a watch, as they are when somebody asks."""

    def ask() -> Sensor:
        tally = watched.figures()
        return Sensor(
            events=tally.events,
            lost=tally.lost,
            lost_by_class=dict(tally.lost_by_class),
            by_rule=dict(tally.by_rule),
            rules=infos(watched.force.rules),
            files=tuple(files),
        )

    return ask


def infos(rules: Sequence[Compiled]) -> tuple[RuleInfo, ...]:
    """Rules as metrics label them."""
    return tuple(RuleInfo(rule.name, rule.priority, rule.source, rule.tags) for rule in rules)


def number(rules: Sequence[Compiled]) -> int:
    """How many rules can raise an alert; those that take notes for trails are not counted."""
    return sum(activity.TAG not in rule.tags for rule in rules)
