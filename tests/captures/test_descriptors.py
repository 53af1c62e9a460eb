"""Every call that makes a descriptor, and what is known of the descriptor in the call after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eyas import _core, catalog
from tests.captures import blocks as b
from tests.captures.blocks import Process, i64, u32, u64
from tests.captures.scenario import HOST, PEER, tuple_of, v4

TID, OTHER = 100, 200
BAD = i64(-9)
# Of events with one name the last is the one of today.
IDS = {event.name: event.id for event in catalog.load().events if event.id & 1 and event.status == "current"}

Read = Callable[..., dict[str, Any]]


def call(name: str, *params: bytes, tid: int = TID) -> bytes:
    return b.event(IDS[name], 1000, tid, *params)


@pytest.fixture
def after(tmp_path: Path) -> Read:
    """What is known of a descriptor that is read after some calls."""

    def read(
        calls: bytes, num: int = 9, fields: tuple[str, ...] = ("fd.type", "fd.typechar", "fd.name")
    ) -> Any:
        listed = b.processes(Process(TID, b"prog"), Process(OTHER, b"other"), Process(1, b"init", ptid=0))
        files = b.files(TID, b.regular(3, b"/var/log/x"), b.file(4, 2, b.text(b"/srv")))
        files += b.files(OTHER, b.regular(5, b"/run/theirs"))
        path = tmp_path / "made.scap"
        last = call("read", i64(1), b"a", i64(num), u32(1))
        path.write_bytes(b.section() + b.machine() + listed + files + calls + last)
        rows = [json.loads(row) for row in _core.field_values(str(path), list(fields))]
        return tuple(rows[-1][field] for field in fields)

    return read


NINE = i64(9)
OPENED = (u32(1), u32(0))
MADE = [
    ("open", (NINE, b"a/../f\0", *OPENED, u32(0), u64(0)), ("file", "f", "/home/me/f")),
    ("open", (NINE, b"/d\0", u32(1 << 10), u32(0), u32(0), u64(0)), ("directory", "d", "/d")),
    ("creat", (NINE, b"f\0", u32(0), u32(0), u64(0), u32(0)), ("file", "f", "/home/me/f")),
    ("openat", (NINE, i64(-100), b"f\0", *OPENED, u32(0), u64(0)), ("file", "f", "/home/me/f")),
    ("openat", (NINE, i64(4), b"f\0", *OPENED, u32(0), u64(0)), ("file", "f", "/srv/f")),
    ("openat", (NINE, i64(4), b"/f\0", *OPENED, u32(0), u64(0)), ("file", "f", "/f")),
    ("openat", (NINE, i64(77), b"f\0", *OPENED, u32(0), u64(0)), ("file", "f", "<UNKNOWN>f")),
    ("openat2", (NINE, i64(4), b"f\0", *OPENED, u32(0), u32(0), u64(0)), ("file", "f", "/srv/f")),
    ("open_by_handle_at", (NINE, i64(4), u32(1), b"/srv/f\0", u32(0), u64(0)), ("file", "f", "/srv/f")),
    ("dup", (NINE, i64(3)), ("file", "f", "/var/log/x")),
    ("dup2", (NINE, i64(3), NINE), ("file", "f", "/var/log/x")),
    ("dup3", (NINE, i64(3), NINE, u32(0)), ("file", "f", "/var/log/x")),
    ("fcntl", (NINE, i64(3), bytes([1]), u64(0)), ("file", "f", "/var/log/x")),
    ("fcntl", (NINE, i64(3), bytes([5]), u64(0)), (None, "o", "")),
    ("pipe", (i64(0), NINE, i64(10), u64(7)), ("pipe", "p", "")),
    ("pipe2", (i64(0), i64(10), NINE, u64(7), u32(0)), ("pipe", "p", "")),
    ("socketpair", (i64(0), NINE, i64(10), u64(1), u64(2)), ("unix", "u", "")),
    ("eventfd", (NINE, u64(0), u32(0)), ("event", "e", "")),
    ("eventfd2", (NINE, b"\0\0", u64(0)), ("event", "e", "")),
    ("signalfd", (NINE, i64(-1), u32(0), b"\0"), ("signalfd", "s", "")),
    ("signalfd4", (NINE, b"\0\0", i64(-1), u32(0)), ("signalfd", "s", "")),
    ("timerfd_create", (NINE, b"\0", b"\0"), ("timerfd", "t", "")),
    ("inotify_init", (NINE, b"\0"), ("inotify", "i", "")),
    ("inotify_init1", (NINE, b"\0\0"), ("inotify", "i", "")),
    ("epoll_create", (NINE, i64(1)), ("eventpoll", "l", "")),
    ("epoll_create1", (NINE, u32(0)), ("eventpoll", "l", "")),
    ("bpf", (NINE, u32(5)), ("bpf", "b", "")),
    ("userfaultfd", (NINE, u32(0)), ("userfaultfd", "u", "")),
    ("io_uring_setup", (NINE, *[u32(0)] * 7), ("io_uring", "r", "")),
    ("memfd_create", (NINE, b"hidden\0", u32(0)), ("memfd", "m", "hidden")),
    ("pidfd_open", (NINE, i64(OTHER), u32(0)), ("pidfd", "P", f"/proc/{OTHER}")),
    ("socket", (NINE, u32(2), u32(1), u32(0)), ("ipv4", "4", "")),
    ("socket", (NINE, u32(10), u32(1), u32(0)), ("ipv6", "6", "")),
    ("socket", (NINE, u32(1), u32(1), u32(0)), ("unix", "u", "")),
    ("socket", (NINE, u32(16), u32(1), u32(0)), ("netlink", "n", "")),
    (
        "accept4",
        (NINE, tuple_of(v4(PEER, 33000), v4(HOST, 80)), b"\0", u32(0), u32(5), u32(0)),
        ("ipv4", "4", "10.0.0.2:33000->10.0.0.15:80"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "known"), MADE, ids=[made[0] for made in MADE])
def test_a_call_that_makes_a_descriptor_tells_what_it_is(name, params, known, after) -> None:
    assert after(call(name, *params)) == known


@pytest.mark.parametrize(
    ("name", "params"),
    [(name, params) for name, params, _ in MADE if params[0] == NINE],
    ids=[made[0] for made in MADE if made[1][0] == NINE],
)
def test_a_call_that_failed_makes_none(name, params, after) -> None:
    assert after(call(name, BAD, *params[1:]))[0] is None


def test_a_closed_descriptor_is_known_in_close_and_gone_after_it(after) -> None:
    opened = call("open", NINE, b"/f\0", *OPENED, u32(0), u64(0))
    assert after(opened + call("close", i64(0), NINE)) == (None, "o", "")
    assert after(opened + call("close", BAD, NINE)) == ("file", "f", "/f")


def test_a_descriptor_of_another_process_is_taken_through_its_pidfd(after) -> None:
    calls = call("pidfd_open", i64(8), i64(OTHER), u32(0)) + call("pidfd_getfd", NINE, i64(8), i64(5), u32(0))
    assert after(calls) == ("file", "f", "/run/theirs")


def test_a_number_that_is_used_again_stands_for_what_came_last(after) -> None:
    first = call("open", NINE, b"/first\0", *OPENED, u32(0), u64(0))
    second = call("open", NINE, b"/second\0", *OPENED, u32(0), u64(0))
    assert after(first + second)[2] == "/second"


@pytest.mark.parametrize(
    ("result", "name"), [(0, "10.0.0.15:33000->10.0.0.2:80"), (-115, "10.0.0.15:33000->10.0.0.2:80")]
)
def test_a_connection_that_is_made_or_under_way_is_named_by_its_ends(result, name, after) -> None:
    ends = tuple_of(v4(HOST, 33000), v4(PEER, 80))
    calls = call("socket", NINE, u32(2), u32(1), u32(0))
    assert after(calls + call("connect", i64(result), ends, NINE, v4(PEER, 80)))[2] == name
