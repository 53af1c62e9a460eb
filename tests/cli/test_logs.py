"""Log lines are those that the configuration wants."""

import io
import sys

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


def test_a_standard_error_that_is_gone_ends_nobody(monkeypatch) -> None:
    logs.to_stderr()
    log = structlog.get_logger("eyas.test")
    gone, now = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    log.warning("seen")
    gone.close()
    log.warning("lost")
    monkeypatch.setattr(sys, "stderr", now)
    log.warning("seen again")
    assert "seen again" in now.getvalue()
    assert "lost" not in now.getvalue()
