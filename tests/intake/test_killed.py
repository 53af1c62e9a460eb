"""A run that is killed at any moment goes on without a gap and without a repeat, wherever its events come from."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.intake.reservoirs import RESERVOIRS, Reservoir, environment
from tests.transports.conftest import wait_until

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 120
RULE = """
- rule: everything
  desc: d
  condition: json.value[KEY] exists
  output: "%json.value[KEY]"
  priority: NOTICE
  source: SOURCE
  group_by: ["json.value[KEY]"]
"""


def configure(folder: Path, reservoir: Reservoir) -> None:
    rule = RULE.replace("KEY", reservoir.key).replace("SOURCE", reservoir.source)
    (folder / "rules.yaml").write_text(rule)
    made: dict[str, Any] = {
        "alerts": {"store": str(folder / "store"), "limit": 1_000_000, "rule_limit": 1_000_000},
        "engine": {"kind": "nodriver"},
        "sources": {reservoir.source: reservoir.section},
    }
    (folder / "eyas.yaml").write_text(json.dumps(made))


def start(folder: Path) -> subprocess.Popen[str]:
    files = ["-c", str(folder / "eyas.yaml"), "-r", str(folder / "rules.yaml")]
    return subprocess.Popen(
        [sys.executable, "-m", "eyas", "run", *files],
        env={**environment(), "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr.log").open("ab"),
        text=True,
    )


def read_some(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    """Wait until so many alerts were said."""
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline(), (folder / "stderr.log").read_text()[-2000:]


def has_begun(folder: Path) -> bool:
    """Whether it is stored where the source begins."""
    file = folder / "store" / "sources.db"
    if not file.exists():
        return False
    db = sqlite3.connect(file)
    try:
        return bool(db.execute("SELECT count(*) FROM marks").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return False
    finally:
        db.close()


def kept(folder: Path, key: str) -> list[int]:
    db = sqlite3.connect(folder / "store" / "alerts.db")
    rows = db.execute("SELECT body FROM alert WHERE rule = 'everything'").fetchall()
    db.close()
    return [int(json.loads(body)["output_fields"][f"json.value[{key}]"]) for (body,) in rows]


@pytest.mark.parametrize("made", RESERVOIRS, ids=lambda made: made.__name__)
def test_kill_9_leaves_neither_gap_nor_repeat(
    made: Callable[[Path], AbstractContextManager[Reservoir]], tmp_path: Path
) -> None:
    third = EVENTS // 3
    with made(tmp_path) as reservoir:
        configure(tmp_path, reservoir)
        for number in (1, 2):
            run = start(tmp_path)
            try:
                if reservoir.from_now_on and number == 1:
                    wait_until(lambda: has_begun(tmp_path))
                reservoir.write(range((number - 1) * third, number * third))
                read_some(tmp_path, run, number * 11)
            finally:
                run.kill()
                run.wait()
        reservoir.write(range(2 * third, EVENTS))
        last = start(tmp_path)
        try:
            while len(set(kept(tmp_path, reservoir.key))) < EVENTS:
                read_some(tmp_path, last, 1)
        finally:
            last.kill()
            last.wait()
    assert sorted(kept(tmp_path, reservoir.key)) == list(range(EVENTS))
