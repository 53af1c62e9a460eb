"""Standard output that breaks, that nobody reads, or whose reader leaves: nothing hangs and nothing is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eyas.cli.speaking import Aside

PATIENCE = 60
SOURCES = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        try:
            os.close(end)
        except OSError:
            continue


def eyas(*args: str, stdout: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eyas", *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )


@pytest.mark.parametrize(
    "command", [("fields",), ("events",), ("rules", "list"), ("--help",), ("doctor", "--json")], ids=" ".join
)
def test_a_command_whose_reader_has_left_ends_quietly(
    command: tuple[str, ...], pipe: tuple[int, int]
) -> None:
    os.close(pipe[0])
    done = eyas(*command, stdout=pipe[1])
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_is_told_with_its_code() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = eyas("fields", stdout=full)
    os.close(full)
    assert (done.returncode, done.stderr) == (3, "eyas: cannot write: no space left on device\n")


def test_lines_are_said_in_their_order(pipe: tuple[int, int]) -> None:
    voice = Aside(lambda: None, pipe[1])
    for number in range(100):
        voice.say(str(number))
    voice.close()
    os.close(pipe[1])
    assert Path(f"/proc/self/fd/{pipe[0]}").read_text().split() == [str(number) for number in range(100)]
    assert (voice.unsaid, voice.error) == (0, None)


def test_when_nobody_reads_a_bounded_number_waits_and_the_rest_is_counted(
    pipe: tuple[int, int], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyas.cli.speaking.PATIENCE", 0.1)
    voice = Aside(lambda: None, pipe[1], room=100_000)
    for _ in range(1000):
        voice.say("x" * 999)
    voice.close()
    assert 1000 > voice.unsaid > 1000 - (100_000 + 65_536) // 1000
    said = capfd.readouterr().err
    assert "nobody reads standard output" in said
    assert f"{voice.unsaid} alerts were not printed" in said


def test_it_is_noticed_at_once_when_the_reader_leaves(pipe: tuple[int, int]) -> None:
    left = threading.Event()
    voice = Aside(left.set, pipe[1])
    os.close(pipe[0])
    assert left.wait(PATIENCE)
    voice.close()
    assert isinstance(voice.error, BrokenPipeError)


def test_a_disk_that_is_full_is_an_error(pipe: tuple[int, int]) -> None:
    failed = threading.Event()
    full = os.open("/dev/full", os.O_WRONLY)
    voice = Aside(failed.set, full)
    voice.say("a line")
    assert failed.wait(PATIENCE)
    voice.close()
    os.close(full)
    assert voice.error is not None
    assert voice.unsaid == 1
