"""Rules over records, in short."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyas import pipeline, rules
from eyas.alert import Alert
from eyas.sources import members

Judge = Callable[..., list[Alert]]


def loaded(tmp_path: Path, source: str, condition: str, output: str) -> rules.Loaded:
    rule = {
        "rule": "a rule",
        "desc": "for a test",
        "source": source,
        "condition": condition,
        "output": output,
        "priority": "WARNING",
    }
    path = tmp_path / "rules.yaml"
    path.write_text(json.dumps([rule]))
    found = rules.load([path], members.known())
    assert not found.problems, [problem.text() for problem in found.problems]
    return found


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Judge records by one condition; gives the alerts."""

    def run(source: str, condition: str, *records: Any, output: str = "it held") -> list[Alert]:
        found = loaded(tmp_path, source, condition, output)
        path = tmp_path / "records.json"
        path.write_text("\n".join(json.dumps(record) for record in records))
        program = pipeline.compile_rules(found.active, found.ir, source)
        return list(pipeline.replay_logs(path, found.active, program, pipeline.Tally()))

    return run
