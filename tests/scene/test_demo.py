"""The demo tells its story with alerts that the rules really give."""

import json
from pathlib import Path

import pytest

from eyas.scene import demo


def test_the_story_raises_alerts_of_many_rules(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "demo.scap"
    assert demo.main(["--json", "--keep", str(path)]) == 0
    alerts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len({alert["rule"] for alert in alerts}) >= 15
    assert [alert["rule"] for alert in alerts] == [alert.rule for alert in demo.play(path)]


def test_a_part_without_harm_has_no_alert(capsys: pytest.CaptureFixture[str]) -> None:
    demo.main([])
    first, rest = capsys.readouterr().out.split("\n2. ")
    assert "Nothing to see" in first
    assert "Warning" not in first
    assert "Critical" in rest
