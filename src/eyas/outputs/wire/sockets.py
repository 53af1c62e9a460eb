"""Plain connections: datagrams, and streams with or without TLS."""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Sequence
from typing import Any

from eyas.delivery import Answer, Request, delivered, refused, retry
from eyas.errors import UsageError

PATIENCE = 10.0  # seconds for connecting, and for the other side to take what was sent
LARGEST = 65_507  # bytes of a datagram over IPv4


def endpoint(text: str, port: int | None = None) -> tuple[str, int]:
    """Host and port of `host:port`, `[::1]:514` or `host`."""
    host, colon, number = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, number = text, str(port or "")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) < 65_536 or not host:
        raise UsageError(f"address '{text}': expected host:port")
    return host.strip("[]"), int(number)


class Datagrams:
    """Sends each body as one datagram. Nobody answers, so sent is delivered."""

    def __init__(self, host: str, port: int) -> None:
        self.where = (host, port)

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One datagram for each request."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(*self.where, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as link:
                return [_datagram(link, request.body, address) for request in batch]
        except OSError as error:
            return [retry(f"{self.where[0]}: {error}") for _ in batch]

    def close(self) -> None:
        """Nothing is held."""


def _datagram(link: socket.socket, body: bytes, address: tuple[Any, ...]) -> Answer:
    if len(body) > LARGEST:
        return refused(f"{len(body)} bytes do not fit a datagram of {LARGEST}")
    link.sendto(body, address)
    return delivered()


class Stream:
    """Sends bodies over one connection, and waits until the other side's kernel has taken all of them.

    Protocols over plain streams have no answer; this is as much as can be known.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.where = (host, port)
        self.tls = tls
        self.link: socket.socket | None = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All bodies, one after the other."""
        try:
            link = self._connected()
            link.sendall(b"".join(request.body for request in batch))
            _taken(link)
        except (OSError, ssl.SSLError) as error:
            self.close()
            return [retry(f"{self.where[0]}:{self.where[1]}: {error}") for _ in batch]
        return [delivered() for _ in batch]

    def close(self) -> None:
        """Hang up."""
        if self.link is not None:
            with contextlib.suppress(OSError):
                self.link.close()
            self.link = None

    def _connected(self) -> socket.socket:
        if self.link is not None and _hung_up(self.link):
            self.close()
        if self.link is None:
            link = socket.create_connection(self.where, PATIENCE)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            try:
                self.link = self.tls.wrap_socket(link, server_hostname=self.where[0]) if self.tls else link
            except (OSError, ssl.SSLError):
                link.close()
                raise
        return self.link


def _hung_up(link: socket.socket) -> bool:
    """Whether the other side has closed; what it says is read and thrown away."""
    while select.select([link], [], [], 0)[0]:
        try:
            if not link.recv(4096):
                return True
        except ssl.SSLWantReadError:
            return False
        except (OSError, ssl.SSLError):
            return True
    return False


def _taken(link: socket.socket) -> None:
    """Wait until nothing that was sent is without an acknowledgement (tcp(7), SIOCOUTQ)."""
    deadline, pause = time.monotonic() + PATIENCE, 0.0005
    while struct.unpack("i", fcntl.ioctl(link, termios.TIOCOUTQ, b"\0\0\0\0"))[0]:
        error = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connection broken")
        if time.monotonic() > deadline:
            raise TimeoutError("the other side does not take what is sent")
        select.select([], [], [], pause)
        pause = min(pause * 2, 0.05)
