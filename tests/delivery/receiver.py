"""A receiver over real sockets: it keeps what it is sent and answers what it is told to."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Reply = tuple[int, dict[str, str]]


@dataclass
class Inbox:
    """What arrived, and what is answered next; 200 when nothing is said."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)
    judge: Callable[[bytes], Reply] | None = None
    arrived: threading.Condition = field(default_factory=threading.Condition)
    hang: threading.Event | None = None

    def wait(self, number: int, timeout: float = 20.0) -> list[bytes]:
        """Bodies that were answered with 200, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= number, timeout), (
                f"{len(self.taken)} arrived"
            )
            return list(self.taken)

    def wait_seen(self, number: int, timeout: float = 20.0) -> None:
        """Wait until so many requests came, whatever was answered."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= number, timeout)

    def take(self, body: bytes) -> Reply:
        """Note a body and tell the answer."""
        with self.arrived:
            self.bodies.append(body)
            reply = self.judge(body) if self.judge else self.replies.popleft() if self.replies else (200, {})
            if reply[0] == 200:
                self.taken.append(body)
            self.arrived.notify_all()
            return reply


@contextmanager
def receiver(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Inbox]:
    """Run one on a free port of the loopback."""
    inbox = Inbox()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers = inbox.take(body)
            if inbox.hang is not None:
                inbox.hang.wait(30)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
    inbox.url = f"{scheme}://{host}:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        if inbox.hang is not None:
            inbox.hang.set()
        server.shutdown()
        server.server_close()
