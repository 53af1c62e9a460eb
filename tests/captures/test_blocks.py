"""Every block and event version that captures since 2013 consist of, read to the last byte."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyas import _core
from tests.captures import blocks as b
from tests.captures.blocks import Process, i64, u32

OPEN_E, OPEN_X, CLOSE_X, CONTAINER_JSON = 2, 3, 5, 324
TID = 100

Values = Callable[[bytes, list[str]], list[dict[str, Any]]]


@pytest.fixture
def values(tmp_path: Path) -> Values:
    def read(capture: bytes, fields: list[str]) -> list[dict[str, Any]]:
        path = tmp_path / "made.scap"
        path.write_bytes(capture)
        return [json.loads(row) for row in _core.field_values(str(path), fields)]

    return read


def opened(ts: int = 1000, name: bytes = b"/etc/passwd\0", **how: Any) -> bytes:
    return b.event(OPEN_X, ts, TID, i64(3), name, u32(1), u32(0), **how)


def whole(*parts: bytes) -> bytes:
    return b.section() + b.machine() + b"".join(parts)


@pytest.mark.parametrize("version", range(1, 10))
def test_a_process_list_of_any_version_gives_what_it_holds(version: int, values: Values) -> None:
    names = ["proc.name", "proc.args", "proc.cwd", "proc.sid", "proc.vpgid", "proc.exepath", "proc.env"]
    names += ["proc.vmsize", "proc.vpid", "thread.cgroups", "user.loginuid"]
    row = values(whole(b.processes(Process(TID, b"prog"), version=version), opened()), names)[0]
    assert (row["proc.name"], row["proc.args"], row["proc.cwd"]) == ("prog", "-a b c", "/home/me/")
    assert row["proc.vmsize"] == (100 if version >= 2 else 0)
    assert row["proc.env"] == ("A=1 HOME=/home/me" if version >= 3 else "")
    assert row["proc.vpid"] == (TID if version >= 4 else None)
    assert row["thread.cgroups"] == ("cpu=/user.slice" if version >= 4 else None)
    assert row["proc.sid"] == (7 if version >= 6 else -1)
    assert row["proc.exepath"] == ("/usr/bin/prog" if version >= 7 else "")
    assert row["proc.vpgid"] == (8 if version >= 8 else -1)
    assert row["user.loginuid"] == (1000 if version >= 9 else -1)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_block_numbers_from_before_the_first_release_are_read(version: int, values: Values) -> None:
    kind = b.LEGACY_PROCESSES[version]
    listed = b.processes(Process(TID, b"prog"), version=version, kind=kind)
    capture = b.section(0) + b.machine(0x8002ABCD) + listed + opened(block_kind=0x8010ABCD)
    # The legacy event block counts no parameters.
    body = b.event(OPEN_X, 1000, TID, i64(3), b"/etc/passwd\0", u32(1), u32(0), block_kind=b.EVENT)
    capture = capture[: -len(opened(block_kind=0x8010ABCD))] + (0x8010ABCD).to_bytes(4, "little") + body[4:]
    assert values(capture, ["proc.name", "fd.name"]) == [{"proc.name": "prog", "fd.name": "/etc/passwd"}]


@pytest.mark.parametrize("version", [1, 2])
def test_lists_of_files_interfaces_and_users_of_both_versions(version: int, values: Values) -> None:
    connection = bytes([10, 0, 0, 15, 10, 0, 0, 2]) + b"\x57\x04\x50\x00\x02"
    listed = b.files(
        TID,
        b.regular(3, b"/var/log/x", 0x2D, version),
        b.file(4, 3, connection, version=version),
        version=version,
    )
    capture = whole(
        b.interfaces(bytes([10, 0, 0, 15]), version=version),
        b.users(version),
        b.processes(Process(TID, b"prog")),
        listed,
        b.event(CLOSE_X, 1000, TID, i64(0), i64(3)),
        b.event(CLOSE_X, 1001, TID, i64(0), i64(4)),
    )
    first, second = values(capture, ["fd.name", "fd.dev", "fd.lip", "fd.lport", "user.name", "group.name"])
    assert (first["fd.name"], first["user.name"], first["group.name"]) == ("/var/log/x", "me", "us")
    assert first["fd.dev"] == ("2D" if version > 1 else "0")
    assert (second["fd.name"], second["fd.lip"]) == ("10.0.0.15:1111->10.0.0.2:80", "10.0.0.15")


@pytest.mark.parametrize("kind", [b.EVENT, b.EVENT_FLAGS, b.EVENT_2, b.EVENT_2_FLAGS])
def test_event_blocks_with_and_without_counts_and_flags(kind: int, values: Values) -> None:
    capture = whole(b.processes(Process(TID, b"prog")), opened(block_kind=kind))
    assert [row["fd.name"] for row in values(capture, ["fd.name"])] == ["/etc/passwd"]


@pytest.mark.parametrize("kind", [b.EVENT_2_LARGE, b.EVENT_2_FLAGS_LARGE])
def test_events_with_wide_lengths(kind: int, values: Values) -> None:
    container = json.dumps({"container": {"id": "3ad7b26ded6d", "name": "web", "type": 0}}).encode() + b"\0"
    cgroup = b"cpu=/docker/" + b"3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e\0"
    capture = whole(
        b.processes(Process(TID, b"prog", cgroups=cgroup)),
        b.event(CONTAINER_JSON, 999, 2**64 - 1, container, block_kind=kind),
        opened(),
    )
    rows = values(capture, ["container.name", "container.type"])
    assert rows[-1] == {"container.name": "web", "container.type": "docker"}


def test_an_event_that_only_carries_state_is_folded_but_not_shown(values: Values) -> None:
    capture = whole(
        b.processes(Process(TID, b"prog")),
        opened(block_kind=b.EVENT_2_FLAGS, flags=1),
        b.event(CLOSE_X, 1001, TID, i64(0), i64(3)),
    )
    assert [(row["evt.type"], row["fd.name"]) for row in values(capture, ["evt.type", "fd.name"])] == [
        ("close", "/etc/passwd")
    ]


def test_an_old_exit_event_is_completed_by_its_enter_event(values: Values) -> None:
    capture = whole(
        b.processes(Process(TID, b"prog")),
        b.files(TID, b.regular(3, b"/tmp/x")),
        b.event(4, 1000, TID, i64(3)),
        b.event(CLOSE_X, 1001, TID, i64(0)),
    )
    assert values(capture, ["evt.args"])[-1] == {"evt.args": "res=0 fd=3(<f>/tmp/x)"}


def test_a_gzip_capture_in_several_members_is_one(values: Values) -> None:
    head = whole(b.processes(Process(TID, b"prog")))
    capture = gzip.compress(head) + gzip.compress(opened(1000)) + gzip.compress(opened(1001))
    assert len(values(capture, ["fd.name"])) == 2


def test_a_cut_capture_gives_the_events_before_the_cut_and_the_offset(tmp_path: Path) -> None:
    capture = whole(b.processes(Process(TID, b"prog")), opened(1000), opened(1001))
    path = tmp_path / "cut.scap"
    path.write_bytes(capture[:-7])
    program = _core.Program(json.dumps({"ir": 1, "rules": []}).encode())
    replay = _core.Replay(str(path), program)
    assert replay.next(100) == ([], True)
    stats = replay.stats()
    assert stats["events"] == 1
    assert [offset for offset, _ in stats["warnings"]] == [len(capture) - len(opened())]


@pytest.mark.parametrize("magic", [0x4D3C2B1A, 0])
def test_a_capture_of_the_other_byte_order_is_refused(magic: int, values: Values) -> None:
    with pytest.raises(_core.CoreError, match=r"byte 8|offset 8|magic"):
        values(b.section(magic=magic) + b.machine() + opened(), ["evt.num"])


def test_every_cut_of_a_capture_ends_in_an_answer(tmp_path: Path) -> None:
    capture = whole(
        b.users(), b.processes(Process(TID, b"prog")), b.files(TID, b.regular(3, b"/x")), opened()
    )
    path = tmp_path / "cut.scap"
    for length in range(0, len(capture), 3):
        path.write_bytes(capture[:length])
        try:
            list(_core.field_values(str(path), ["fd.name"]))
        except _core.CoreError as error:
            assert str(error)
