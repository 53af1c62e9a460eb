"""A capture that a configuration plays: alerts reach its receivers, and nothing is left behind."""

import json
import tempfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from eyas import _core
from eyas.cli.entry import group
from tests.delivery.receiver import receiver

RULE = """
- rule: opened
  desc: A file was opened.
  condition: evt.type = openat
  output: "%fd.name"
  priority: NOTICE
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    writer = _core.CaptureWriter(str(tmp_path / "made.scap"))
    process = {"tid": 10, "pid": 10, "ptid": 1, "comm": "bash", "exe": "/bin/bash", "cwd": "/etc/"}
    writer.snapshot(json.dumps({"processes": [process]}).encode())
    writer.event("openat", 1_000_000_000, 10, {"fd": 3, "dirfd": -100, "flags": "O_WRONLY", "name": "passwd"})
    writer.close()
    (tmp_path / "rules.yaml").write_text(RULE)
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "kept"))
    return tmp_path


def play(folder: Path, **more: object) -> Result:
    values = {
        "engine": {"kind": "replay", "replay": {"capture_file": str(folder / "made.scap")}},
        "rules_files": [str(folder / "rules.yaml")],
        **more,
    }
    (folder / "falco.yaml").write_text(yaml.safe_dump(values))
    return CliRunner().invoke(group, ["run", "-c", str(folder / "falco.yaml")])


def test_alerts_are_sent_and_the_store_that_was_only_there_for_it_goes(folder: Path) -> None:
    with receiver() as inbox:
        done = play(folder, http_output={"enabled": True, "url": inbox.url})
        assert done.exit_code == 0, done.stderr
        assert [body.decode() for body in inbox.bodies] == [done.stdout.strip()]
    assert list((folder / "kept").iterdir()) == []


def test_what_no_receiver_took_is_kept_and_its_place_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyas.cli.keeping.DRAIN", 0.2)
    done = play(folder, file_output={"enabled": True, "filename": str(folder / "none" / "x")})
    (kept,) = (folder / "kept").iterdir()
    assert f"some alerts still wait for their receivers in {kept}" in done.stderr


def test_what_a_replay_does_not_serve_and_a_rule_file_that_is_missing_are_told(folder: Path) -> None:
    missing = [str(folder / "rules.yaml"), str(folder / "none.yaml")]
    done = play(folder, webserver={"enabled": True}, rules_files=missing)
    assert "falco.yaml:9: 'webserver' has no effect: a replay is over at once" in done.stderr
    assert f"falco.yaml:7: rules_files: {folder}/none.yaml: no such file or folder" in done.stderr
