"""Syslog over UDP and TCP: RFC 5424 and RFC 3164 lines as JSON records, with the message and its parts."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from eyas.errors import RunError
from eyas.transports.http import address
from eyas.transports.parcel import Link, Parcel

POLL = 0.5
CHUNK = 65_536
ATTEMPTS = 20
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
_BARE = re.compile(r"(?:<(?P<pri>\d{1,3})>)?(?P<message>.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to listen."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:5514"
    max_message: Annotated[int, "Longest message in bytes."] = 65_536
    connections: Annotated[int, "Connections at a time."] = 256


def probe(settings: Settings) -> str:
    """Check that the address is free."""
    for opened in _open(settings):
        opened.close()
    return f"can listen on {settings.listen}, UDP and TCP"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message; those that arrive together are one parcel, one a line."""
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


class _Post:
    """All sockets of the listener."""

    def __init__(
        self, settings: Settings, link: Link, datagrams: socket.socket, listener: socket.socket
    ) -> None:
        self._settings, self._link = settings, link
        self._datagrams, self._listener = datagrams, listener
        self._rest: dict[socket.socket, bytes] = {}
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
        lines, peer = [], ""
        while not self._found.empty():
            peer, message = self._found.get()
            lines.append(json.dumps(parsed(message, peer, time.time()), ensure_ascii=False).encode())
        if lines:
            yield Parcel(b"\n".join(lines), f"syslog from {peer}")

    def close(self) -> None:
        """Close everything."""
        for one in (self._datagrams, self._listener, *self._rest):
            one.close()
        self._ready.close()

    def _receive(self) -> None:
        for _ in range(1000):
            try:
                data, peer = self._datagrams.recvfrom(CHUNK)
            except OSError:
                return
            self._take(data, str(peer[0]))

    def _accept(self) -> None:
        connection, peer = self._listener.accept()
        if len(self._rest) >= self._settings.connections:
            self._link.status.refuse("too many connections", str(peer[0]))
            connection.close()
            return
        connection.setblocking(False)
        self._rest[connection] = b""
        self._ready.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(CHUNK)
            peer = str(connection.getpeername()[0])
        except OSError:
            data, peer = b"", "gone"
        messages, rest = framed(self._rest[connection] + data, self._settings.max_message)
        for message in messages:
            self._take(message, peer)
        if len(rest) > self._settings.max_message:
            self._link.status.refuse("message too long", peer)
            data = b""
        self._rest[connection] = rest
        if not data:
            self._ready.unregister(connection)
            del self._rest[connection]
            connection.close()

    def _take(self, message: bytes, peer: str) -> None:
        if len(message) > self._settings.max_message:
            self._link.status.refuse("message too long", peer)
        elif message.strip():
            self._found.put((peer, message))


def framed(data: bytes, limit: int) -> tuple[list[bytes], bytes]:
    """Messages of a stream (RFC 6587): counted, `12 <34>1 …`, or one a line; and what is left over."""
    messages: list[bytes] = []
    while data:
        count = re.match(rb"([1-9]\d{0,8}) <", data)
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
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        pass
    here = datetime.fromtimestamp(now).astimezone()
    try:
        when = datetime.strptime(f"{here.year} {text}", "%Y %b %d %H:%M:%S").astimezone()
    except ValueError:
        return here.isoformat()
    if (when - here).days > 1:
        when = when.replace(year=here.year - 1)
    return when.isoformat()
