"""What a run tells the metrics about itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from eyas import watch
from eyas.hub import activity
from eyas.hub.sensor import Ask, RuleInfo, Sensor
from eyas.rules import Compiled


def of_watch(watched: watch.Watch, files: Sequence[Path], config_files: Sequence[Path] = ()) -> Ask:
    """Figures of a watch, as they are when somebody asks."""
    force, since = watched.force, time.time()

    def ask() -> Sensor:
        nonlocal force, since
        if watched.force is not force:
            force, since = watched.force, time.time()
        tally = watched.figures()
        return Sensor(
            events=tally.events,
            lost=tally.lost,
            known=dict(tally.known),
            ledger=tally.ledger,
            by_rule=dict(tally.by_rule),
            held=dict(tally.held),
            rules=infos(watched.force.rules),
            files=tuple(path for path in files if path not in config_files),
            config_files=tuple(config_files),
            reloaded=since,
        )

    return ask


def infos(rules: Sequence[Compiled]) -> tuple[RuleInfo, ...]:
    """Rules as metrics label them."""
    return tuple(RuleInfo(rule.name, rule.priority, rule.source, rule.tags) for rule in rules)


def number(rules: Sequence[Compiled]) -> int:
    """How many rules can raise an alert; those that take notes for trails are not counted."""
    return sum(activity.TAG not in rule.tags for rule in rules)
