"""Syslog over UDP and TCP: RFC 5424 and RFC 3164 lines as JSON records, with the message and its parts."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import queue
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from eyas.errors import RunError, UsageError
from eyas.transports.http import address, is_loopback
from eyas.transports.parcel import Link, Parcel

POLL = 0.5
CHUNK = 65_536
ATTEMPTS = 20
COUNTED = 10  # bytes of a count before its message
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "security", "console", "clock", *(f"local{n}" for n in range(8)),
)  # fmt: skip
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_NEW = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) (?P<id>\S+) "
    r"(?P<data>-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: (?P<message>.*))?",
    re.DOTALL,
)
_OLD = re.compile(
    r"<(?P<pri>\d{1,3})>(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) (?:(?P<host>[^\s:]+) )?"
    r"(?P<program>[^\s:\[]{1,64})(?:\[(?P<pid>[^\]]{1,32})\])?: ?(?P<message>.*)",
    re.DOTALL,
)
_COUNT = re.compile(rb"([1-9]\d{0,8}) <")
_BARE = re.compile(r"(?:<(?P<pri>\d{1,3})>)?(?P<message>.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to listen."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:5514"
    max_message: Annotated[int, "Longest message in bytes."] = 65_536
    connections: Annotated[int, "Connections at a time."] = 256
    senders: Annotated[
        tuple[str, ...],
        "Addresses or networks that may send; needed beyond this machine, as senders prove nothing.",
    ] = ()
    rate: Annotated[int, "Messages a second that one address may send."] = 50_000
    timeout: Annotated[float, "Seconds for the rest of a message that has begun."] = 60.0


def check(settings: Settings) -> None:
    """Refuse a listener that anybody could write to."""
    host, _ = address(settings.listen)
    if not settings.senders and not is_loopback(host):
        hint = "name the addresses or networks that may send in senders; 0.0.0.0/0 is everybody"
        raise UsageError(f"listen is '{settings.listen}': senders is needed beyond this machine", hint)
    _networks(settings)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(settings: Settings) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one, strict=False) for one in settings.senders)
    except ValueError as error:
        raise UsageError(f"senders: {error}") from None


def probe(settings: Settings) -> str:
    """Check that the address is free."""
    check(settings)
    for opened in _open(settings):
        opened.close()
    return f"can listen on {settings.listen}, UDP and TCP"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message; those that arrive together are one parcel, one a line."""
    check(settings)
    datagrams, listener = _open(settings)
    host, port = datagrams.getsockname()[:2]
    link.status.where = f"{host}:{port}"
    post = _Post(settings, link, datagrams, listener)
    link.status.turn("running")
    try:
        while not link.stop.is_set():
            yield from post.arrived()
    finally:
        post.close()


def _open(settings: Settings) -> tuple[socket.socket, socket.socket]:
    host, port = address(settings.listen)
    for _ in range(0 if port else ATTEMPTS):
        with contextlib.suppress(OSError):
            return _pair(host, 0)
    try:
        return _pair(host, port)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"cannot listen on {settings.listen}: {reason}") from None


def _pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A socket for UDP and one for TCP with the same number; with 0 the system chooses, and may have to again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    try:
        datagrams.bind((host, port))
        datagrams.setblocking(False)
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        listener = socket.create_server((host, datagrams.getsockname()[1]), family=family)
    except OSError:
        datagrams.close()
        raise
    listener.setblocking(False)
    return datagrams, listener


class _Gate:
    """Who may send, and how much."""

    def __init__(self, settings: Settings, link: Link) -> None:
        self._networks, self._rate, self._link = _networks(settings), settings.rate, link
        self._second = 0
        self._sent: Counter[str] = Counter()

    def knows(self, peer: str) -> bool:
        """Whether an address may send at all; one that may not is refused."""
        known = not self._networks or any(_plain(peer) in one for one in self._networks)
        if not known:
            self._link.status.refuse("unknown sender", peer)
        return known

    def admits(self, peer: str) -> bool:
        """Whether an address may send one message more in this second."""
        if (now := int(time.monotonic())) != self._second:
            self._second = now
            self._sent.clear()
        self._sent[peer] += 1
        if self._sent[peer] > self._rate:
            self._link.status.refuse("too many messages", peer)
        return self._sent[peer] <= self._rate


def _plain(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; one of version 4 in the clothes of version 6 is undressed."""
    found = ipaddress.ip_address(peer)
    return getattr(found, "ipv4_mapped", None) or found


@dataclass(slots=True)
class _Line:
    """A connection: who is there, and the beginning of a message with the moment when something last came."""

    peer: str
    rest: bytes = b""
    heard: float = 0.0


class _Post:
    """All sockets of the listener."""

    def __init__(
        self, settings: Settings, link: Link, datagrams: socket.socket, listener: socket.socket
    ) -> None:
        self._settings, self._link = settings, link
        self._datagrams, self._listener = datagrams, listener
        self._gate = _Gate(settings, link)
        self._lines: dict[socket.socket, _Line] = {}
        self._ready = selectors.DefaultSelector()
        self._ready.register(datagrams, selectors.EVENT_READ)
        self._ready.register(listener, selectors.EVENT_READ)
        self._found: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def arrived(self) -> Iterator[Parcel]:
        """What has come by now, or within half a second."""
        for key, _ in self._ready.select(POLL):
            if key.fileobj is self._datagrams:
                self._receive()
            elif key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                self._read(key.fileobj)
        self._give_up_slow_ones()
        lines, peer = [], ""
        while not self._found.empty():
            peer, message = self._found.get()
            lines.append(json.dumps(parsed(message, peer, time.time()), ensure_ascii=False).encode())
        if lines:
            yield Parcel(b"\n".join(lines), f"syslog from {peer}")

    def close(self) -> None:
        """Close everything."""
        for one in (self._datagrams, self._listener, *self._lines):
            one.close()
        self._ready.close()

    def _receive(self) -> None:
        for _ in range(1000):
            try:
                data, peer = self._datagrams.recvfrom(CHUNK)
            except OSError:
                return
            if self._gate.knows(str(peer[0])):
                self._take(data, str(peer[0]))

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it is gone again, or no file is free: it tries again
            return
        full = len(self._lines) >= self._settings.connections
        if full:
            self._link.status.refuse("too many connections", str(peer[0]))
        if full or not self._gate.knows(str(peer[0])):
            connection.close()
            return
        connection.setblocking(False)
        self._lines[connection] = _Line(str(peer[0]))
        self._ready.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        line = self._lines[connection]
        try:
            data = connection.recv(CHUNK)
        except OSError:
            data = b""
        messages, line.rest = framed(line.rest + data, self._settings.max_message)
        line.heard = time.monotonic()
        for message in messages:
            self._take(message, line.peer)
        if len(line.rest) > self._settings.max_message + COUNTED:
            self._link.status.refuse("message too long", line.peer)
            self._end(connection)
        elif not data:
            self._end(connection)
            self._take_last(line)

    def _take_last(self, line: _Line) -> None:
        """The last message of a connection needs no end of line; a counted one has to be whole."""
        if _COUNT.match(line.rest):
            self._link.status.refuse("message cut off", line.peer)
        elif line.rest:
            self._take(line.rest, line.peer)

    def _give_up_slow_ones(self) -> None:
        """Close connections that began a message and do not go on."""
        late = time.monotonic() - self._settings.timeout
        for connection, line in list(self._lines.items()):
            if line.rest and line.heard < late:
                self._link.status.refuse("too slow", line.peer)
                self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        self._ready.unregister(connection)
        del self._lines[connection]
        connection.close()

    def _take(self, message: bytes, peer: str) -> None:
        if len(message) > self._settings.max_message:
            self._link.status.refuse("message too long", peer)
        elif message.strip() and self._gate.admits(peer):
            self._found.put((peer, message))


def framed(data: bytes, limit: int) -> tuple[list[bytes], bytes]:
    """Messages of a stream (RFC 6587): counted, `12 <34>1 …`, or one a line; and what is left over."""
    messages: list[bytes] = []
    while data:
        count = _COUNT.match(data)
        if count is not None:
            end = count.end(1) + 1 + int(count[1])
            if int(count[1]) > limit or len(data) < end:
                return messages, data
            messages.append(data[count.end(1) + 1 : end])
            data = data[end:]
            continue
        line, newline, after = data.partition(b"\n")
        if not newline:
            return messages, data
        messages.append(line)
        data = after
    return messages, data


def parsed(message: bytes, peer: str, now: float) -> dict[str, Any]:
    """One message as a record; what is not there is left out."""
    text = message.decode("utf-8", "replace").strip("\r\n\0\ufeff")
    found = _NEW.fullmatch(text) or _OLD.fullmatch(text) or _BARE.fullmatch(text)
    parts = {} if found is None else {k: v for k, v in found.groupdict().items() if v not in (None, "-")}
    number = int(parts.pop("pri", 13))
    record: dict[str, Any] = {"peer": peer, "message": "", **parts}
    if number < 192:
        record |= {"facility": FACILITIES[number >> 3], "severity": SEVERITIES[number & 7]}
    record["time"] = _when(parts.get("time", ""), now)
    return record


def _when(text: str, now: float) -> str:
    """A time of the message in RFC 3339; RFC 3164 leaves out year and zone, so those of this machine are taken."""
    here = datetime.fromtimestamp(now).astimezone()
    for read in (_new, _old):
        try:
            return read(text, here).isoformat()
        except (ValueError, OverflowError):  # no time, or none that the calendar has
            continue
    return here.isoformat()


def _new(text: str, _: datetime) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def _old(text: str, here: datetime) -> datetime:
    """A time without a year is of this one, or of the last when that would be still to come."""
    when = datetime.strptime(f"{here.year} {text}", "%Y %b %d %H:%M:%S").astimezone()
    return when.replace(year=here.year - 1) if (when - here).days > 1 else when
