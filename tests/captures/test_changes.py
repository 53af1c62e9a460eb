"""Calls that change what is known of their thread: each by the field that shows it, and nothing when they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyas import _core
from tests.captures import blocks as b
from tests.captures.blocks import Process, i64, u32, u64
from tests.captures.scenario import HOST, PEER, tuple_of, v4
from tests.captures.test_descriptors import TID, call

OK, FAILED = i64(0), i64(-1)
NINE = i64(9)
SOCKET = call("socket", NINE, u32(2), u32(2), u32(0))
STREAM = call("socket", NINE, u32(2), u32(1), u32(0))

See = Callable[[bytes, str], Any]


@pytest.fixture
def see(tmp_path: Path) -> See:
    """A field of the event after some calls: a read of descriptor 9."""

    def read(calls: bytes, field: str) -> Any:
        listed = b.processes(Process(TID, b"prog"), Process(1, b"init", ptid=0))
        files = b.files(TID, b.file(4, 2, b.text(b"/srv")))
        path = tmp_path / "made.scap"
        last = call("read", i64(1), b"a", NINE, u32(1))
        path.write_bytes(b.section() + b.machine() + b.users() + listed + files + calls + last)
        return [json.loads(row) for row in _core.field_values(str(path), [field])][-1][field]

    return read


CHANGES = [
    ("setuid", (u32(7),), "user.uid", 1000, 7),
    ("setresuid", (u32(1), u32(2), u32(3)), "user.uid", 1000, 2),
    ("setreuid", (u32(1), u32(2)), "user.uid", 1000, 2),
    ("setgid", (u32(7),), "group.gid", 1000, 7),
    ("setresgid", (u32(1), u32(2), u32(3)), "group.gid", 1000, 2),
    ("setregid", (u32(1), u32(2)), "group.gid", 1000, 2),
    ("capset", (u64(1), u64(2), u64(4)), "thread.cap_effective", None, "CAP_DAC_READ_SEARCH"),
    ("capset", (u64(1), u64(2), u64(4)), "thread.cap_permitted", None, "CAP_DAC_OVERRIDE"),
    ("capset", (u64(1), u64(2), u64(4)), "thread.cap_inheritable", None, "CAP_CHOWN"),
    ("setrlimit", (i64(55), i64(99), b"\x07"), "proc.fdlimit", 1024, 55),
    ("setrlimit", (i64(55), i64(99), b"\x04"), "proc.fdlimit", 1024, 1024),
    ("prlimit", (i64(55), i64(9), i64(1), i64(1), i64(0), b"\x07"), "proc.fdlimit", 1024, 55),
    ("chdir", (b"sub/../x\0",), "proc.cwd", "/home/me/", "/home/me/x/"),
    ("chdir", (b"/\0",), "proc.cwd", "/home/me/", "/"),
    ("fchdir", (i64(4),), "proc.cwd", "/home/me/", "/srv/"),
    ("setpgid", (i64(0), i64(0)), "proc.vpgid", 8, 8),
]


@pytest.mark.parametrize(
    ("name", "params", "field", "before", "after"), CHANGES, ids=[f"{row[0]} {row[2]}" for row in CHANGES]
)
def test_a_call_changes_what_it_says_and_nothing_when_it_fails(
    name, params, field, before, after, see
) -> None:
    assert see(call(name, OK, *params), field) == after
    assert (see(call(name, FAILED, *params), field) or None) == before


def test_a_new_session_is_led_by_its_maker(see) -> None:
    assert see(call("setsid", i64(TID)), "proc.sid") == TID
    assert see(call("setsid", FAILED), "proc.sid") == 7


SENT = tuple_of(v4(HOST, 33000), v4(PEER, 53))
CAME = tuple_of(v4(PEER, 53), v4(HOST, 33000))
NAMED = "10.0.0.15:33000->10.0.0.2:53"


@pytest.mark.parametrize(
    ("calls", "name"),
    [
        (SOCKET + call("sendto", i64(5), b"hello", NINE, u32(5), SENT), NAMED),
        (SOCKET + call("recvfrom", i64(5), b"hello", CAME, NINE, u32(5)), "10.0.0.2:53->10.0.0.15:33000"),
        (SOCKET + call("sendto", FAILED, b"", NINE, u32(5), SENT), ""),
        (call("sendto", i64(5), b"hello", NINE, u32(5), SENT), NAMED),
        (SOCKET + call("bind", OK, v4(HOST, 53), NINE), "10.0.0.15:53"),
        (SOCKET + call("bind", OK, v4(HOST, 0), NINE), "10.0.0.15:0"),
        (SOCKET + call("bind", FAILED, v4(HOST, 53), NINE), ""),
        (STREAM + call("connect", OK, SENT, NINE, v4(PEER, 53)), NAMED),
        (STREAM + call("connect", i64(-115), SENT, NINE, v4(PEER, 53)), NAMED),
    ],
    ids=range(9),
)
def test_a_socket_learns_its_ends_from_what_it_does(calls, name, see) -> None:
    assert see(calls, "fd.name") == name
