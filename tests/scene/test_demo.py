"""The demo tells its story with alerts that the rules really give."""

import json
from pathlib import Path

from click.testing import CliRunner

from eyas.cli.demo import command
from eyas.scene import demo


def test_the_story_raises_alerts_of_many_rules(tmp_path: Path) -> None:
    path = tmp_path / "demo.scap"
    result = CliRunner().invoke(command, ["--json", "--keep", str(path)])
    alerts = [json.loads(line) for line in result.output.splitlines()]
    assert len({alert["rule"] for alert in alerts}) >= 15
    assert [alert["rule"] for alert in alerts] == [alert.rule for alert in demo.play(path)]


def test_a_part_without_harm_has_no_alert() -> None:
    first, rest = CliRunner().invoke(command).output.split("\n2. ")
    assert "Nothing to see" in first
    assert "Warning" not in first
    assert "Critical" in rest


def test_every_other_part_has_one(tmp_path: Path) -> None:
    story = demo.show(tmp_path / "demo.scap")
    starts = [chapter.start for chapter in story.chapters]
    parts = {max(start for start in starts if start <= place) for place, _ in story.alerts}
    assert parts == set(starts[1:])
