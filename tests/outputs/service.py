"""A service of our own over HTTP: keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

from eyas.delivery import Request

Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Seen:
    """A request that arrived; names of headers in small letters."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def plain(self) -> bytes:
        """The body, unpacked."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


@dataclass
class Service:
    """A server for the time of a test."""

    answers: dict[str, Reply] = field(default_factory=dict)
    always: Reply = (200, {"Content-Type": "application/json"}, b"{}")
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Service:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                where = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                head = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, where.path, where.query, head, self.rfile.read(length))
                service.seen.append(seen)
                status, headers, body = service.reply(seen)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reply(self, seen: Seen) -> Reply:
        """The answer to a request; tests may put another function here."""
        return self.answers.get(seen.path, self.always)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def moved(self, request: Request) -> Request:
        """The same request, to us."""
        where = urlsplit(request.url)
        host = self.url.removeprefix("http://")
        return replace(request, url=urlunsplit(("http", host, where.path, where.query, "")))
