"""Captures byte by byte, in every version of their blocks: what writers from 2013 on have left behind."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SECTION = 0x0A0D0D0A
MACHINE = 0x201
PROCESSES = {1: 0x202, 2: 0x207, 3: 0x209, 4: 0x210, 5: 0x211, 6: 0x212, 7: 0x213, 8: 0x214, 9: 0x215}
LEGACY_PROCESSES = {1: 0x8000ABCD, 2: 0x8013ABCD, 3: 0x8014ABCD}
FILES = {1: 0x203, 2: 0x218}
EVENT, EVENT_FLAGS = 0x204, 0x208
EVENT_2, EVENT_2_FLAGS, EVENT_2_LARGE, EVENT_2_FLAGS_LARGE = 0x216, 0x217, 0x221, 0x222
INTERFACES = {1: 0x205, 2: 0x219}
USERS = {1: 0x206, 2: 0x220}


def block(kind: int, body: bytes) -> bytes:
    padding = -len(body) % 4
    length = 12 + len(body) + padding
    return struct.pack("<II", kind, length) + body + bytes(padding) + struct.pack("<I", length)


def section(minor: int = 2, magic: int = 0x1A2B3C4D) -> bytes:
    return block(SECTION, struct.pack("<IHHQ", magic, 1, minor, 2**64 - 1))


def machine(kind: int = MACHINE, boot: int = 1_500_000_000_000_000_000) -> bytes:
    return block(kind, struct.pack("<IQQ128sQQQQ", 2, 1 << 30, 32768, b"host", boot, 0, 0, 0))


def text(value: bytes) -> bytes:
    return struct.pack("<H", len(value)) + value


@dataclass
class Process:
    tid: int
    comm: bytes
    ptid: int = 1
    pid: int = 0
    sid: int = 7
    vpgid: int = 8
    exe: bytes = b"/bin/prog"
    exepath: bytes = b"/usr/bin/prog"
    args: bytes = b"-a\0b c\0"
    cwd: bytes = b"/home/me"
    flags: int = 0
    uid: int = 1000
    gid: int = 1000
    env: bytes = b"A=1\0HOME=/home/me\0"
    cgroups: bytes = b"cpu=/user.slice\0"
    root: bytes = b"/"
    loginuid: int = 1000


def process(p: Process, version: int) -> bytes:
    pid = p.pid or p.tid
    out = struct.pack("<QQQ", p.tid, pid, p.ptid)
    out += struct.pack("<Q", p.sid) if version >= 6 else b""
    out += struct.pack("<Q", p.vpgid) if version >= 8 else b""
    out += text(p.comm) + text(p.exe)
    out += text(p.exepath) if version >= 7 else b""
    out += text(p.args) + text(p.cwd) + struct.pack("<QIII", 1024, p.flags, p.uid, p.gid)
    out += struct.pack("<IIIQQ", 100, 50, 3, 4, 5) if version >= 2 else b""
    out += text(p.env) if version >= 3 else b""
    out += struct.pack("<qq", p.tid, pid) + text(p.cgroups) if version >= 4 else b""
    out += text(p.root) if version >= 5 else b""
    if version < 9:
        return out
    out += struct.pack("<I", p.loginuid)
    return struct.pack("<I", len(out) + 4) + out


def processes(*list_: Process, version: int = 9, kind: int = 0) -> bytes:
    return block(kind or PROCESSES[version], b"".join(process(p, version) for p in list_))


def file(num: int, kind: int, rest: bytes, ino: int = 9, version: int = 2) -> bytes:
    entry = struct.pack("<qQB", num, ino, kind) + rest
    return struct.pack("<I", len(entry) + 4) + entry if version > 1 else entry


def files(tid: int, *entries: bytes, version: int = 2) -> bytes:
    return block(FILES[version], struct.pack("<Q", tid) + b"".join(entries))


def regular(num: int, name: bytes, dev: int = 0, version: int = 2) -> bytes:
    rest = struct.pack("<I", 1) + text(name) + (struct.pack("<I", dev) if version > 1 else b"")
    return file(num, 16, rest, version=version)


def interfaces(*addresses: bytes, version: int = 2) -> bytes:
    out = b""
    for address in addresses:
        kind, mask = (3, bytes([255, 255, 255, 0])) if len(address) == 4 else (4, bytes(16))
        entry = struct.pack("<HH", kind, 4) + address + mask + mask + b"eth0"
        out += (struct.pack("<I", len(entry)) if version > 1 else b"") + entry
    return block(INTERFACES[version], out)


def users(version: int = 2) -> bytes:
    user = struct.pack("<BII", 0, 1000, 1000) + text(b"me") + text(b"/home/me") + text(b"/bin/sh")
    root = struct.pack("<BII", 0, 0, 0) + text(b"root") + text(b"/root") + text(b"/bin/bash")
    group = struct.pack("<BI", 1, 1000) + text(b"us")
    entries = (root, user, struct.pack("<BI", 1, 0) + text(b"root"), group)
    sized = [struct.pack("<I", len(e) + 4) + e if version > 1 else e for e in entries]
    return block(USERS[version], b"".join(sized))


def event(kind: int, ts: int, tid: int, *params: bytes, block_kind: int = EVENT_2, flags: int = 0) -> bytes:
    """One event; the block says whether it counts its parameters, has flags, and how wide lengths are."""
    width = "<I" if block_kind in (EVENT_2_LARGE, EVENT_2_FLAGS_LARGE) else "<H"
    counted = block_kind not in (EVENT, EVENT_FLAGS)
    lengths = b"".join(struct.pack(width, len(p)) for p in params)
    data = lengths + b"".join(params)
    head = 26 if counted else 22
    body = struct.pack("<H", 0)
    if block_kind in (EVENT_FLAGS, EVENT_2_FLAGS, EVENT_2_FLAGS_LARGE):
        body += struct.pack("<I", flags)
    body += struct.pack("<QQIH", ts, tid, head + len(data), kind)
    body += struct.pack("<I", len(params)) if counted else b""
    return block(block_kind, body + data)


def i64(value: int) -> bytes:
    return struct.pack("<q", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value & 0xFFFFFFFF)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)
