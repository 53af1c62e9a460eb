"""Rules on trial: the events that a rule carries are played, and what it says to them is compared."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyas import _core, catalog, pipeline, rules
from eyas.alert import Alert
from eyas.catalog import KERNEL
from eyas.intake import Judge
from eyas.rules import Compiled, Example, Problem
from eyas.scene.film import film, perform
from eyas.scene.script import SceneError
from eyas.scene.stage import Happening
from eyas.sources import members
from eyas.transports.parcel import Parcel

FAILED = "TEST_FAILED"
UNPLAYABLE = "TEST_EVENTS"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test of a rule came to; `problem` says why it failed."""

    rule: str
    example: Example
    alerts: tuple[Alert, ...] = ()
    problem: Problem | None = None

    @property
    def passed(self) -> bool:
        """Whether the rule did what the test says."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Nearest:
    """An event, and how each part of a condition came out on it."""

    happening: Happening
    answer: dict[str, Any]


def alerts(scene: str, judges: Sequence[Compiled]) -> list[Alert]:
    """Play a scene, or records of a log source, through rules; raises `SceneError`."""
    if judges and judges[0].source != KERNEL:
        return records(scene, judges)
    program = pipeline.compile_rules(judges, rules.program(judges))
    with tempfile.TemporaryDirectory(prefix="eyas-scene-") as folder:
        path = Path(folder) / "scene.scap"
        film(perform(scene), path)
        return list(pipeline.replay(path, judges, program, pipeline.Tally()))


def nearest(rule: Compiled, text: str) -> Nearest | None:
    """The event of a scene on which most of a condition held, and how each part came out; None without events."""
    if rule.source != KERNEL:
        return None
    program = pipeline.compile_rules([rule], rules.program([rule]))
    stage = perform(text)
    with tempfile.TemporaryDirectory(prefix="eyas-scene-") as folder:
        path = Path(folder) / "scene.scap"
        film(stage, path)
        tally = pipeline.Tally()
        list(pipeline.replay(path, [rule], program, tally))
        first = tally.events - len(stage.happenings)
        found = [
            Nearest(happening, json.loads(_core.explain(str(path), program, 0, first + number))["condition"])
            for number, happening in enumerate(stage.happenings, 1)
        ]
    known = catalog.load().events
    names = {known[number].name for number in rule.events or ()}
    return max(found, key=lambda one: (one.happening.name in names, agreement(one.answer)), default=None)


def agreement(node: dict[str, Any]) -> float:
    """How much of a condition held, from 0 to 1."""
    if node["held"]:
        return 1.0
    if "and" in node:
        return sum(agreement(child) for child in node["and"]) / len(node["and"])
    return max(map(agreement, node["or"]), default=0.0) if "or" in node else 0.0


def records(text: str, judges: Sequence[Compiled]) -> list[Alert]:
    """Put JSON records through rules of their source; raises `SceneError` where they are none."""
    source = members.find(judges[0].source)
    if source is None:
        raise SceneError(0, f"there is no source '{judges[0].source}'")
    judgement = Judge(source, judges, members.known()).judge(Parcel(text.encode(), "test"))
    if judgement.refusals:
        offset, reason = judgement.refusals[0]
        raise SceneError(offset, reason, "the events of this rule are JSON records, one after another")
    return judgement.alerts


def judge(rule: Compiled) -> list[Verdict]:
    """Play every test of a rule."""
    return [_verdict(rule, example) for example in rule.tests]


def _verdict(rule: Compiled, example: Example) -> Verdict:
    try:
        raised = alerts(example.events.text, [rule])
    except SceneError as error:
        place = example.events.place(error.offset)
        context = (("rule", rule.name), ("test", example.name))
        problem = Problem(UNPLAYABLE, str(error), place, "error", error.hint, "", context)
        return Verdict(rule.name, example, (), problem)
    return Verdict(rule.name, example, tuple(raised), _complaint(rule, example, raised))


def _complaint(rule: Compiled, example: Example, raised: Sequence[Alert]) -> Problem | None:
    said = "; ".join(one.message for one in raised)
    if not example.catches and raised:
        what = f"the rule holds, it should not: {said}"
    elif example.catches and not raised:
        what = "the rule does not hold on any of these events"
    elif example.output and not any(example.output in one.message for one in raised):
        what = f"expected `{example.output}` in the output, found: {said}"
    else:
        return None
    context = (("rule", rule.name), ("test", example.name))
    return Problem(FAILED, what, example.place, "error", "", "", context)
