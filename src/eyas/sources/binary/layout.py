"""The bytes of one event of a plugin: read from its memory only as far as they make sense, taken apart, and made."""

from __future__ import annotations

import ctypes
import struct

from eyas.sources.binary import abi

LONGEST = 16 << 20  # bytes of an event
NOW = 2**64 - 1  # a time that the host is to set; a thread that is none
_MEMBERS = {abi.PLUGIN_EVENT: 2, abi.ASYNC_EVENT: 3}


class OddError(Exception):
    """What a plugin gives is no event."""


def taken(at: int | None, kind: int, number: int) -> bytes:
    """The event of a kind at an address, of plugin `number`; OddError when it is none."""
    if not at:
        raise OddError("it is missing")
    head = abi.Event.from_address(at)
    if head.type != kind:
        raise OddError(f"expected an event of type {kind}, found {head.type}")
    if not abi.HEADER <= head.len <= LONGEST:
        raise OddError(f"expected a length from {abi.HEADER} to {LONGEST}, found {head.len}")
    if head.nparams != _MEMBERS[kind]:
        raise OddError(f"expected {_MEMBERS[kind]} parameters, found {head.nparams}")
    raw = ctypes.string_at(at, head.len)
    return _owned(raw, number)


def _owned(raw: bytes, number: int) -> bytes:
    """The event with the number of its plugin; a plugin may leave it to the host by giving 0."""
    count = struct.unpack_from("<I", raw, abi.HEADER - 4)[0]
    start = abi.HEADER + 4 * count
    lengths = struct.unpack_from(f"<{count}I", raw, abi.HEADER) if start <= len(raw) else ()
    if start + sum(lengths) != len(raw):
        raise OddError(f"its parameters need {start + sum(lengths)} bytes, it has {len(raw)}")
    if lengths[0] != 4:
        raise OddError(f"expected a plugin number of 4 bytes, found {lengths[0]}")
    given = struct.unpack_from("<I", raw, start)[0]
    if given not in (0, number):
        raise OddError(f"expected the number {number} of the plugin, found {given}")
    return raw[:start] + struct.pack("<I", number) + raw[start + 4 :]


def parameters(raw: bytes) -> list[bytes]:
    """Parameters of an event whose lengths have four bytes."""
    count = min(struct.unpack_from("<I", raw, abi.HEADER - 4)[0], 16)
    at = abi.HEADER + 4 * count
    if at > len(raw):
        return []
    found = []
    for length in struct.unpack_from(f"<{count}I", raw, abi.HEADER):
        found.append(raw[at : at + length])
        at += length
    return found


def name(raw: bytes) -> str:
    """The name of an asynchronous event."""
    return parameters(raw)[1].split(b"\0")[0].decode(errors="replace")


def made(ts: int, number: int, payload: bytes) -> bytes:
    """An event of a source."""
    size = abi.HEADER + 8 + 4 + len(payload)
    head = struct.pack("<QQIHIIII", ts, NOW, size, abi.PLUGIN_EVENT, 2, 4, len(payload), number)
    return head + payload
