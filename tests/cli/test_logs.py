"""Log lines are those that the configuration wants."""

import io
import socket
import sys
from pathlib import Path

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
    logs.begin(level, shown)
    log = structlog.get_logger("eyas.test")
    for name in ("debug", "info", "warning", "error", "critical"):
        getattr(log, name)("said")
    said = capsys.readouterr().err
    logs.begin()
    assert [name for name in ("debug", "info", "warning", "error", "critical") if f"[{name}" in said] == lines


def test_a_standard_error_that_is_gone_ends_nobody(monkeypatch) -> None:
    logs.begin()
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


def test_lines_go_to_the_syslog_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "_SYSLOG", str(tmp_path / "log"))
    logs.begin(stderr=False, syslog=True)
    log = structlog.get_logger("eyas.test")
    log.error("nobody listens")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "log"))
        log.error("failed", output="slack")
        said = channel.recv(1000).decode()
    logs.begin()
    assert said.startswith("<27>eyas: ") and said.endswith("failed output=slack")
    assert capsys.readouterr().err == ""
