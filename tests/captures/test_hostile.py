"""Captures of the field, damaged in every way: each ends in events, warnings with an offset or an error with one.

`EYAS_FUZZ=10000` asks for that many examples of each property; without it a few are tried.
"""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyas import _core, catalog, pipeline
from eyas import rules as rule_files

SHARED = Path(__file__).resolve().parents[3] / "shared" / "interop"
CAPTURES = ("cat_write", "container_start", "curl_google", "ping_sendto", "single_ipv6_conn")
# A capture of a few kilobytes cannot hold more than this many events.
MOST = 100_000

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is missing")
often = settings(
    max_examples=int(os.environ.get("EYAS_FUZZ", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def program() -> _core.Program:
    """The three rule files of the field."""
    loaded = rule_files.load([SHARED / "rules"], catalog.load(), rule_files.Settings(enable_all=True))
    return pipeline.compile_rules(loaded.active, loaded.ir)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "damaged.scap"


def whole(name: str) -> bytes:
    data = (SHARED / "captures" / f"{name}.scap").read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def blocks(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        yield data[at : at + length]
        at += length


def play(place: Path, data: bytes, program: _core.Program) -> None:
    """Play to the end; a crash of the core would be no CoreError."""
    place.write_bytes(data)
    replay, ended = _core.Replay(str(place), program), False
    while not ended:
        try:
            ended = replay.next(4096)[1]
        except _core.CoreError as error:
            assert " at byte " in str(error)
            break
    stats = replay.stats()
    assert stats["events"] < MOST
    assert all(0 <= offset <= len(data) + (1 << 20) for offset, _ in stats["warnings"])


names = st.sampled_from(CAPTURES)


@often
@given(name=names, flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_flipped_bytes(name, flips, place, program) -> None:
    data = bytearray(whole(name))
    for where, value in flips:
        data[int(where * (len(data) - 1))] = value
    play(place, bytes(data), program)


@often
@given(
    name=names,
    words=st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0, 1, 11, 12, 2**16, 2**31, 2**32 - 1]))),
)
def test_false_lengths(name, words, place, program) -> None:
    data = bytearray(whole(name))
    for where, value in words:
        struct.pack_into("<I", data, int(where * (len(data) - 4)), value)
    play(place, bytes(data), program)


@often
@given(name=names, start=st.floats(0, 1), length=st.integers(1, 5000))
def test_missing_bytes(name, start, length, place, program) -> None:
    data = whole(name)
    at = int(start * len(data))
    play(place, data[:at] + data[at + length :], program)


@often
@given(
    names=st.lists(names, min_size=2, max_size=3),
    picks=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 1))),
)
def test_blocks_of_several_captures_in_another_order(names, picks, place, program) -> None:
    files = [list(blocks(whole(name))) for name in names]
    mixed = [files[0][0]]
    for which, where in picks:
        chosen = files[which % len(files)]
        mixed.append(chosen[int(where * (len(chosen) - 1))])
    play(place, b"".join(mixed), program)


@often
@given(name=names, at=st.floats(0, 1), twice=st.integers(1, 50))
def test_blocks_that_come_again(name, at, twice, place, program) -> None:
    found = list(blocks(whole(name)))
    first = int(at * (len(found) - 1))
    play(place, b"".join(found[: first + twice] + found[first:]), program)


@often
@given(
    name=names,
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3),
    end=st.floats(0, 1),
)
def test_damaged_gzip(name, flips, end, place, program) -> None:
    packed = bytearray(gzip.compress(whole(name)))
    for where, value in flips:
        packed[int(where * (len(packed) - 1))] = value
    play(place, bytes(packed[: int(end * len(packed))]), program)
