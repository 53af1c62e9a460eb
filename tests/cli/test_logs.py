"""Log lines are those that the configuration wants."""

import pytest
import structlog

from eyas.cli import logs


@pytest.mark.parametrize(
    ("level", "shown", "lines"),
    [
        ("debug", True, ["debug", "info", "warning", "error", "critical"]),
        ("notice", True, ["info", "warning", "error", "critical"]),
        ("error", True, ["error", "critical"]),
        ("emergency", True, ["critical"]),
        ("debug", False, []),
    ],
)
def test_lines_below_the_level_are_left_out(
    level: str, shown: bool, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.to_stderr(level, shown)
    log = structlog.get_logger("eyas.test")
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(log, name)("said")
    said = capsys.readouterr().err
    logs.to_stderr()
    assert [name for name in ("debug", "info", "warning", "error", "critical") if f"[{name}" in said] == lines
