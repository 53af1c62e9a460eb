"""Logs whose records Python makes, replayed."""

import json
from pathlib import Path

from click.testing import CliRunner

from eyas.cli import replay


def test_failures_are_counted_within_a_file(tmp_path: Path) -> None:
    denial = {"eventType": "user.mfa.okta_verify.deny_push", "actor": {"id": "u", "alternateId": "ann"}}
    lines = [
        json.dumps({**denial, "uuid": str(n), "published": f"2026-01-31T10:00:0{n}.000Z"}) for n in range(3)
    ]
    (tmp_path / "okta.jsonl").write_text("\n".join(lines))
    done = CliRunner().invoke(
        replay.command, ["--source", "okta", str(tmp_path / "okta.jsonl")], standalone_mode=False
    )
    assert done.exception is None
    assert done.output.count("pushes were denied again and again (user=ann denials=3") == 1
