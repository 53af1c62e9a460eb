"""A run that is killed at any moment goes on without a gap and without a repeat."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = 900
RULE = """
- rule: everything
  desc: d
  condition: ka.verb exists
  output: "%ka.auditid"
  priority: NOTICE
  source: k8s_audit
  group_by: [ka.auditid]
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "eyas",
            "run",
            "-c",
            str(folder / "eyas.yaml"),
            "-r",
            str(folder / "rules.yaml"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def read_some(process: subprocess.Popen[str], count: int) -> None:
    """Wait until so many alerts were said."""
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline(), "the run ended by itself"


def kept(folder: Path) -> list[str]:
    db = sqlite3.connect(folder / "store" / "alerts.db")
    rows = db.execute("SELECT body FROM alert WHERE rule = 'everything'").fetchall()
    db.close()
    return [json.loads(body)["output_fields"]["ka.auditid"] for (body,) in rows]


def test_kill_9_leaves_neither_gap_nor_repeat(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "eyas.yaml").write_text(
        f"alerts: {{store: {tmp_path / 'store'}, limit: 1000000, rule_limit: 1000000}}\nengine: {{kind: nodriver}}\n"
        f"sources:\n  k8s_audit: {{via: file, path: {log}, interval: 0.05}}\n"
    )
    written = 0

    def write(count: int) -> None:
        nonlocal written
        with log.open("a") as out:
            for number in range(written, written + count):
                event = {"auditID": str(number), "verb": "get", "stageTimestamp": "2026-01-31T10:00:00Z"}
                out.write(json.dumps(event) + "\n")
        written += count

    write(EVENTS // 3)
    for number in (1, 150):
        run = start(tmp_path)
        try:
            read_some(run, number)
            write(EVENTS // 3)
        finally:
            run.kill()
            run.wait()
    last = start(tmp_path)
    try:
        while len(set(kept(tmp_path))) < written:
            read_some(last, 1)
    finally:
        last.kill()
        last.wait()
    assert sorted(kept(tmp_path), key=int) == [str(number) for number in range(written)]
