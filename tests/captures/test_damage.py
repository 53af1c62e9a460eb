"""Captures that are cut, damaged or none at all: what is good is played, what is not is told with its place."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eyas import _core
from tests.captures import blocks as b
from tests.captures.blocks import Process, i64, u32

OPEN_X, TID = 3, 100
EVENTS = 20

Played = tuple[int, list[tuple[int, str]], str]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[bytes], Played]:
    """Events, warnings and the error of a capture."""

    def read(capture: bytes) -> Played:
        path = tmp_path / "made.scap"
        path.write_bytes(capture)
        error, ended = "", False
        replay = _core.Replay(str(path))
        while not ended:
            try:
                _, ended = replay.next(1000)
            except (_core.CoreError, OSError) as failure:
                error, ended = str(failure), True
        stats = replay.stats()
        return stats["events"], stats["warnings"], error

    return read


def opened(number: int, kind: int = b.EVENT_2) -> bytes:
    name = b"/etc/%d\0" % (number * 7919)
    return b.event(OPEN_X, 1000 + number, TID, i64(3), name, u32(1), u32(0), block_kind=kind)


HEAD = b.section() + b.machine() + b.processes(Process(TID, b"prog"))
WHOLE = HEAD + b"".join(opened(number) for number in range(EVENTS))
FIRST = opened(0)


def test_a_capture_cut_anywhere_is_played_up_to_the_cut_and_told(play) -> None:
    ends = [len(b.section()), len(b.section() + b.machine()), len(HEAD)]
    for number in range(EVENTS):
        ends.append(ends[-1] + len(opened(number)))
    for at in range(1, len(WHOLE)):
        events, warnings, error = play(WHOLE[:at])
        assert error == "", at
        assert events == sum(end <= at for end in ends[3:])
        clean = at in ends[3:]
        assert len(warnings) == (0 if clean else 1), at
        if not clean:
            begun = max((end for end in ends if end <= at), default=0)
            assert warnings[0][0] == begun
            assert "cut" in warnings[0][1] or "before its first event" in warnings[0][1]


def test_a_gzip_capture_cut_anywhere_is_played_up_to_the_cut_and_told(play) -> None:
    packed = gzip.compress(WHOLE)
    for at in range(2, len(packed)):
        events, warnings, error = play(packed[:at])
        assert (error, len(warnings)) == ("", 1), at
        assert "cut" in warnings[0][1], at
    assert events == EVENTS
    assert warnings[0] == (len(WHOLE), "capture is cut or something was added: gzip stream is cut")


def test_what_follows_a_gzip_stream_is_told_and_padding_is_none(play) -> None:
    packed = gzip.compress(WHOLE)
    assert play(packed + bytes(600)) == (EVENTS, [], "")
    assert play(packed + gzip.compress(WHOLE)) == (2 * EVENTS, [], "")
    events, warnings, error = play(packed + b"more")
    assert (events, error) == (EVENTS, "")
    assert warnings[0][0] == len(WHOLE)
    assert "bytes after the gzip stream are no gzip" in warnings[0][1]


def test_a_gzip_stream_that_lies_about_its_bytes_is_an_error_after_its_events(play) -> None:
    packed = bytearray(gzip.compress(WHOLE))
    packed[-6] ^= 1
    events, _, error = play(bytes(packed))
    assert events >= EVENTS - 1
    assert "corrupt" in error
    assert "byte" in error


def test_alerts_before_a_fault_are_given(tmp_path: Path) -> None:
    path, rules = tmp_path / "made.scap", tmp_path / "rules.yaml"
    path.write_bytes(WHOLE + struct.pack("<II", b.EVENT_2, 5))
    rules.write_text(
        "- rule: opened\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "eyas", "replay", str(path), "-r", str(rules)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == EVENTS
    assert f"shorter than its frame at byte {len(WHOLE)}" in done.stderr


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        (b"", "not a capture: no section header at byte 0"),
        (b"\x1f\x8b", "cut"),
        (b"#!/bin/sh\necho hello\n", "not a capture: no section header at byte 0"),
        (gzip.compress(b"#!/bin/sh\necho hello\n"), "not a capture: no section header at byte 0"),
        (b.section(magic=0x4D3C2B1A), "capture has the other byte order at byte 8"),
        (struct.pack(">IIIHHQ", b.SECTION, 28, 0x1A2B3C4D, 1, 2, 0), "the other byte order at byte 8"),
        (b.section(magic=7), "not a capture"),
        (b.section() + b.block(1, bytes(8)) + b.block(6, bytes(40)), "network capture (pcapng)"),
        (HEAD + struct.pack("<II", b.EVENT_2, 0), "shorter than its frame at byte"),
        (HEAD + struct.pack("<II", 0x999, 0), "shorter than its frame at byte"),
        (HEAD + b.block(b.EVENT_2, bytes(12)), "shorter than the header of an event at byte"),
        (HEAD + b.block(b.EVENT_2, bytes(70_000)), "an event of over 64 KiB is no large one at byte"),
        (b.section() + struct.pack("<II", b.MACHINE, 2**31), "over 256 MiB at byte 28"),
        (b.section() + b.machine()[:-4] + u32(9) + opened(1), "its two lengths differ at byte 28"),
        (b.section() + b.block(b.PROCESSES[9], u32(9) + b"12345678"), "runs past the end of its block"),
        (HEAD + b.block(b.FILES[1], bytes(24) + b"\x63"), "unknown type of open file"),
        (HEAD + b.block(b.INTERFACES[1], bytes(30)), "unknown type of interface"),
        (HEAD + b.block(b.USERS[1], b"\x07" + bytes(30)), "neither a user nor a group"),
    ],
)  # fmt: skip
def test_what_is_no_capture_or_contradicts_itself_is_told_with_its_place(capture, said, play) -> None:
    _, warnings, error = play(capture)
    assert said in error or said in str(warnings)


def test_blocks_of_unknown_types_are_skipped_and_told(play) -> None:
    odd = b.block(0x7777, bytes(3)) + struct.pack("<II", 0x1234, 2 << 20) + bytes((2 << 20) - 8)
    events, warnings, error = play(HEAD + odd + opened(1) + b.block(0x7777, b""))
    assert (events, error) == (1, "")
    assert warnings == [(len(HEAD), "3 blocks of unknown types were skipped, the first is 0x7777")]


def test_metadata_may_come_in_any_order_and_more_than_once(play) -> None:
    listed = b.processes(Process(TID, b"prog"))
    assert play(b.section() + b.users() + listed + b.machine() + listed + opened(1)) == (1, [], "")


def test_an_event_shorter_than_its_block_is_read(play) -> None:
    """The trailer of an event block is not compared, as other readers do not compare it."""
    event = bytearray(opened(1))
    event[-4:] = u32(1)
    assert play(HEAD + bytes(event) + opened(2)) == (2, [], "")
