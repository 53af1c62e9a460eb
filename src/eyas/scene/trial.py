"""Rules on trial: the events that a rule carries are played, and what it says to them is compared."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyas import pipeline, rules
from eyas.alert import Alert
from eyas.rules import Compiled, Example, Problem
from eyas.scene.film import film, perform
from eyas.scene.script import SceneError

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


def alerts(scene: str, judges: Sequence[Compiled]) -> list[Alert]:
    """Play a scene through rules; raises `SceneError`."""
    program = pipeline.compile_rules(judges, rules.program(judges))
    with tempfile.TemporaryDirectory(prefix="eyas-scene-") as folder:
        path = Path(folder) / "scene.scap"
        film(perform(scene), path)
        return list(pipeline.replay(path, judges, program, pipeline.Tally()))


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
