"""A day in the life of two processes as a sensor of 2022 wrote it: enter and exit events in their old layout."""

from __future__ import annotations

from tests.captures import blocks as b
from tests.captures.blocks import Process, i64, u32, u64

BASH, CURL = 100, 200
HOST, PEER, OTHER = bytes([10, 0, 0, 15]), bytes([10, 0, 0, 2]), bytes([8, 8, 8, 8])
V6_HOST, V6_PEER = b"\x20\x01" + bytes(13) + b"\x05", b"\x20\x01" + bytes(13) + b"\x06"
EAGAIN, ENOENT = -11, -2

# Numbers of the enter events; the exit event is the next.
CALLS = {
    "open": 2, "close": 4, "read": 6, "write": 8, "socket": 18, "bind": 20, "connect": 22, "listen": 24,
    "sendto": 30, "recvfrom": 34, "socketpair": 42, "sendmsg": 48, "recvmsg": 52, "creat": 58, "pipe": 60,
    "poll": 80, "chdir": 94, "fchdir": 96, "dup": 124, "nanosleep": 134, "brk": 158, "setuid": 198,
    "unlinkat": 302, "openat": 306, "fchmodat": 314, "renameat2": 318,
}  # fmt: skip


def v4(ip: bytes, port: int) -> bytes:
    return b"\x02" + ip + port.to_bytes(2, "little")


def v6(ip: bytes, port: int) -> bytes:
    return b"\x0a" + ip + port.to_bytes(2, "little")


def mapped(ip: bytes) -> bytes:
    return bytes(10) + b"\xff\xff" + ip


def tuple_of(source: bytes, dest: bytes) -> bytes:
    return source + dest[1:]


class Footage:
    """Events one after another."""

    def __init__(self) -> None:
        self.ts = 1_600_000_000_000_000_000
        self.out = b""

    def call(self, name: str, tid: int, enter: list[bytes], exit_: list[bytes]) -> None:
        self.ts += 1000
        self.out += b.event(CALLS[name], self.ts, tid, *enter)
        self.ts += 1500
        self.out += b.event(CALLS[name] + 1, self.ts, tid, *exit_)

    def socket(self, num: int, domain: int, kind: int, protocol: int = 0) -> None:
        self.call("socket", BASH, [u32(domain), u32(kind), u32(protocol)], [i64(num)])


def initial_files() -> list[bytes]:
    ends = HOST + PEER
    return [
        b.regular(0, b"/dev/pts/0", 0x8801),
        b.regular(2, b"/var/log/x"),
        b.file(3, 2, b.text(b"/home/dir")),
        b.file(4, 3, ends + b"\xd2\x04\x50\x00\x02"),
        b.file(5, 5, bytes(4) + b"\x50\x00\x02"),
        b.file(7, 7, b.text(b"pipe:[1]")),
        b.file(8, 9, b.text(b"[eventfd]")),
        b.file(10, 12, b.text(b"[eventpoll]")),
        b.file(14, 3, ends + b"\x5c\x11\x35\x00\x03"),
        b.file(15, 10, b.text(b"odd")),
        b.file(16, 4, mapped(HOST) + mapped(PEER) + b"\x57\x04\x50\x00\x02"),
        b.file(17, 6, bytes(16) + b"\x90\x1f\x02"),
        b.file(40, 3, ends + b"\x50\x00\xb3\x15\x02"),
        b.file(43, 4, mapped(HOST) + mapped(PEER) + b"\x90\x1f\xb3\x15\x02"),
        b.file(44, 3, ends + bytes(4) + b"\x05"),
    ]


def capture() -> bytes:
    """The whole capture."""
    f = Footage()
    _initial(f)
    _files(f)
    _sockets(f)
    _datagrams(f)
    _messages(f)
    shell = Process(BASH, b"bash", exe=b"-bash", args=b"-c\0x y\0")
    curl = Process(CURL, b"curl", ptid=BASH, exe=b"curl", args=b"http://x\0")
    init = Process(1, b"systemd", ptid=0, exe=b"/sbin/init", args=b"", cwd=b"/", uid=0, gid=0)
    head = b.section() + b.machine() + b.interfaces(bytes([127, 0, 0, 1]), HOST) + b.users()
    head += b.processes(init, shell, curl) + b.files(BASH, *initial_files()) + b.files(CURL, *initial_files())
    return head + f.out


def _initial(f: Footage) -> None:
    for num in (0, 2, 3, 4, 5, 7, 8, 10, 14, 15, 16, 17, 40, 43, 44, 99):
        f.call("read", CURL, [i64(num), u32(5)], [i64(5), b"he\x01lo"])
    for entry in (0, 4):
        listed = b"\x01\x00" + i64(entry) + b"\x01\x00"
        f.call("poll", CURL, [listed, i64(5)], [i64(1), listed])


def _files(f: Footage) -> None:
    for name in (b"/etc/passwd", b"a", b"../x/./y", b"with space", b"/var/lib/.."):
        name += b"\0"
        for flags in (1, 2, 3, 6, 1025, 4097):
            f.call(
                "open", BASH, [name, u32(flags), u32(0o644)], [i64(20), name, u32(flags), u32(0o644), u32(1)]
            )
            f.call("write", BASH, [i64(20), u32(3)], [i64(3), b"abc"])
            f.call("close", BASH, [i64(20)], [i64(0)])
        f.call("creat", BASH, [name, u32(0o755)], [i64(21), name, u32(0o755), u32(2)])
        for dirfd in (-100, 3):
            enter = [i64(dirfd), name, u32(1), u32(0)]
            f.call("openat", BASH, enter, [i64(22), *enter, u32(3)])
            f.call("unlinkat", BASH, [], [i64(0), i64(dirfd), name, u32(0)])
            f.call("fchmodat", BASH, [], [i64(ENOENT), i64(dirfd), name, u32(0o4755)])
            f.call("renameat2", BASH, [], [i64(0), i64(dirfd), name, i64(3), b"new\0", u32(1)])
    f.call("dup", BASH, [i64(4)], [i64(23)])
    f.call("read", BASH, [i64(23), u32(1)], [i64(EAGAIN), b""])
    f.call("pipe", BASH, [], [i64(0), i64(24), i64(25), u64(77)])
    f.call("socketpair", BASH, [u32(1), u32(1), u32(0)], [i64(0), i64(26), i64(27), u64(1), u64(2)])
    f.call("chdir", BASH, [], [i64(0), b"sub\0"])
    f.call("fchdir", BASH, [i64(3)], [i64(0)])
    f.call("brk", BASH, [u64(1)], [u64(2), u32(500), u32(60), u32(7)])
    f.call("setuid", BASH, [u32(0)], [i64(0)])
    for ns in (1, 1_500_000_000, 123_456_789_012):
        f.call("nanosleep", BASH, [u64(ns)], [i64(0)])


def _sockets(f: Footage) -> None:
    f.socket(30, 2, 1)
    f.call("connect", BASH, [i64(30), v4(PEER, 80)], [i64(0), tuple_of(v4(HOST, 33000), v4(PEER, 80))])
    f.call("read", BASH, [i64(30), u32(5)], [i64(5), b"hello"])
    f.socket(31, 10, 0x80001)
    ends = tuple_of(v6(mapped(HOST), 33001), v6(mapped(OTHER), 443))
    f.call("connect", BASH, [i64(31), v6(mapped(OTHER), 443)], [i64(0), ends])
    f.call("write", BASH, [i64(31), u32(5)], [i64(5), b"hello"])
    f.socket(32, 10, 1)
    ends = tuple_of(v6(V6_HOST, 33002), v6(V6_PEER, 443))
    f.call("connect", BASH, [i64(32), v6(V6_PEER, 443)], [i64(0), ends])
    f.socket(33, 1, 1)
    pair = b"\x01" + u64(0xAA) + u64(0xBB) + b"/run/s\0"
    f.call("connect", BASH, [i64(33), b"\x01/run/s\0"], [i64(0), pair])
    for num, address in ((34, v4(bytes(4), 8080)), (35, v4(HOST, 0))):
        f.socket(num, 2, 1)
        f.call("bind", BASH, [i64(num)], [i64(0), address])
    for num, address in ((36, v6(bytes(16), 8081)), (37, v6(V6_HOST, 8082)), (38, v6(mapped(HOST), 8083))):
        f.socket(num, 10, 1)
        f.call("bind", BASH, [i64(num)], [i64(0), address])
        f.call("listen", BASH, [i64(num), u32(128)], [i64(0)])
    for kind, protocol in ((3, 1), (3, 255), (0x803, 1), (2, 1), (3, 6)):
        f.socket(39, 2, kind, protocol)


def _datagrams(f: Footage) -> None:
    sent, told = v4(bytes(4), 0), v4(HOST, 33000)
    f.socket(50, 2, 2)
    f.call("sendto", BASH, [i64(50), u32(5), tuple_of(sent, v4(PEER, 53))], [i64(5), b"hello"])
    f.call("recvfrom", BASH, [i64(50), u32(5)], [i64(5), b"hello", tuple_of(v4(PEER, 53), told)])
    f.call("sendto", BASH, [i64(50), u32(5), tuple_of(told, v4(OTHER, 53))], [i64(5), b"hello"])
    f.socket(51, 10, 2)
    there = v6(mapped(PEER), 53)
    f.call("sendto", BASH, [i64(51), u32(5), tuple_of(v6(mapped(HOST), 0), there)], [i64(5), b"hello"])
    f.socket(52, 10, 2)
    there = v6(V6_PEER, 53)
    f.call("sendto", BASH, [i64(52), u32(5), tuple_of(v6(V6_HOST, 0), there)], [i64(5), b"hello"])
    f.call("recvfrom", BASH, [i64(52), u32(5)], [i64(5), b"hello", tuple_of(there, v6(V6_HOST, 33003))])


def _messages(f: Footage) -> None:
    f.socket(60, 2, 1)
    f.call("recvmsg", BASH, [i64(60)], [i64(5), u32(5), b"hello", tuple_of(v4(PEER, 53), v4(HOST, 33000))])
    f.socket(61, 10, 1)
    ends = tuple_of(v6(V6_PEER, 53), v6(V6_HOST, 33000))
    f.call("recvmsg", BASH, [i64(61)], [i64(5), u32(5), b"hello", ends])
    f.socket(62, 2, 2)
    f.call("sendmsg", BASH, [i64(62), u32(5), tuple_of(v4(HOST, 1), v4(PEER, 2))], [i64(5), b"hello"])
    f.call("sendmsg", BASH, [i64(62), u32(5), b""], [i64(EAGAIN), b""])
