"""HTTP(S) server for services that push: authentication, limits, and an answer only when the events are safe."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyas.errors import RunError, UsageError
from eyas.transports import signature
from eyas.transports.bucket import Buckets
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.secret import Secret
from eyas.transports.unpack import TooLargeError, gunzip

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

POLL = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to listen and whom to believe."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:9765"
    path: Annotated[str, "Path that the service posts to."] = "/"
    secret: Annotated[Secret | None, "Secret that the service signs requests with."] = None
    token: Annotated[Secret | None, "Token that clients send as `Authorization: Bearer …`."] = None
    certificate: Annotated[Path | None, "File with the server's certificate chain, for HTTPS."] = None
    key: Annotated[Path | None, "File with the certificate's private key."] = None
    client_ca: Annotated[Path | None, "File with the authority that signs client certificates."] = None
    max_body: Annotated[int, "Largest body in bytes, unpacked."] = 12_582_912
    rate: Annotated[float, "Requests a second that one address may send."] = 2000.0
    timeout: Annotated[float, "Seconds for a body to arrive, and for its events to become safe."] = 10.0
    waiting: Annotated[int, "Bodies that may wait to be judged."] = 256


@dataclass(frozen=True, slots=True)
class Reception:
    """What a service's requests look like.

    `greet` answers those that hold no events, such as a challenge. With `once`, a signature that was seen is a
    request that is sent again: it is answered, and goes no further.
    """

    scheme: signature.Scheme | None = None
    types: tuple[str, ...] = ("application/json",)
    greet: Callable[[bytes], bytes | None] | None = None
    sign_always: bool = False
    once: bool = False


def address(listen: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"listen is '{listen}', expected HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)


def check(settings: Settings, reception: Reception) -> None:
    """Refuse a listener that anybody could write to."""
    host, _ = address(settings.listen)
    proven = settings.token or settings.client_ca or (settings.secret and reception.scheme)
    if not proven and not _loopback(host):
        hint = "set token, client_ca or, where the service signs, secret"
        raise UsageError(f"listen is '{settings.listen}': authentication is needed beyond this machine", hint)
    if reception.sign_always and not settings.secret:
        raise UsageError("secret is missing", "the service signs its requests; give the secret it signs with")
    if settings.client_ca and not settings.certificate:
        raise UsageError("client_ca needs certificate", "client certificates come with HTTPS")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parcels(settings: Settings, link: Link, reception: Reception) -> Iterator[Parcel]:
    """Serve until stopped; every body becomes a parcel."""
    check(settings, reception)
    arrived: queue.Queue[Parcel] = queue.Queue(settings.waiting)
    door = Door(settings, reception, link, arrived)
    server = Server(door, settings)
    link.status.where = server.url
    server.start()
    link.status.turn("running")
    try:
        while not link.stop.is_set():
            try:
                yield arrived.get(timeout=POLL)
            except queue.Empty:
                server.check()
    finally:
        server.stop()


def probe(settings: Settings, reception: Reception) -> str:
    """Check that the address is free and the certificate loads."""
    check(settings, reception)
    server = Server(None, settings)
    server.close()
    return f"can listen on {server.url}"


class Server:
    """A web server in its own thread."""

    def __init__(self, app: Any, settings: Settings) -> None:
        host, port = address(settings.listen)
        self._tls = _tls(settings)
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=512)
        except OSError as error:
            raise RunError(
                f"cannot listen on {settings.listen}: {(error.strerror or str(error)).lower()}"
            ) from None
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if settings.certificate else "http"
        self.url = f"{scheme}://{shown}:{self._socket.getsockname()[1]}{settings.path}"
        self._app = app
        self._settings = settings
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._failed: BaseException | None = None

    def start(self) -> None:
        """Start to serve."""
        import uvicorn

        from eyas.transports.punctual import Punctual

        config = uvicorn.Config(
            self._app,
            http=Punctual,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=75,
            limit_concurrency=self._settings.waiting * 4,
            h11_max_incomplete_event_size=65_536,
            timeout_graceful_shutdown=int(self._settings.timeout),
            ws="none",
            **self._tls,
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except (Exception, SystemExit) as error:
            self._failed = error

    def check(self) -> None:
        """Raise what ended the server."""
        if self._failed is not None:
            raise RunError(f"the listener on {self.url} ended: {self._failed}")

    def stop(self) -> None:
        """Stop to serve, after the requests that are under way."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(self._settings.timeout + 5)
        self.close()

    def close(self) -> None:
        """Give the address back."""
        self._socket.close()


def _tls(settings: Settings) -> dict[str, Any]:
    if settings.certificate is None:
        return {}
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings.certificate, settings.key)
        if settings.client_ca:
            context.load_verify_locations(settings.client_ca)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{settings.certificate}: the certificate does not load: {error}") from None
    made: dict[str, Any] = {
        "ssl_certfile": str(settings.certificate),
        "ssl_keyfile": str(settings.key) if settings.key else None,
    }
    if settings.client_ca:
        made |= {"ssl_ca_certs": str(settings.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return made


class _RefusalError(Exception):
    """An answer other than yes."""

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status, self.reason, self.detail = status, reason, detail


class Door:
    """The application behind the server: one request in, one parcel out, and the answer when it is settled."""

    def __init__(
        self, settings: Settings, reception: Reception, link: Link, arrived: queue.Queue[Parcel]
    ) -> None:
        self._settings = settings
        self._reception = reception
        self._link = link
        self._arrived = arrived
        self._buckets = Buckets(settings.rate)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request (ASGI)."""
        from starlette.requests import Request

        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse, Response

        peer = request.client.host if request.client else "unknown"
        try:
            self._admit(request, peer)
            body = await self._body(request)
            headers = dict(request.headers.items())
            self._believe(headers, body)
            body = _unpacked(headers, body, self._settings.max_body)
            greeting = self._reception.greet(body) if self._reception.greet else None
            if greeting is not None:
                return Response(greeting, media_type="application/json")
            key = self._key(headers)
            if key and self._link.seen(key):
                self._link.status.refuse("replayed", f"POST from {peer}")
                return Response(b"", 200)
            outcome = await self._hand_on(body, headers, peer, key)
        except _RefusalError as refusal:
            self._link.status.refuse(refusal.reason, f"POST from {peer}", refusal.detail)
            extra = {"Retry-After": "1"} if refusal.status in (429, 503) else {}
            if refusal.status == 401:
                extra = {"WWW-Authenticate": "Bearer"}
            extra["Connection"] = "close"
            return PlainTextResponse(refusal.reason + "\n", refusal.status, extra)
        if outcome is Outcome.SAFE:
            return Response(b"", 200)
        return PlainTextResponse(outcome.value + "\n", 400 if outcome is Outcome.REFUSED else 503)

    def _admit(self, request: Request, peer: str) -> None:
        if request.url.path.rstrip("/") != self._settings.path.rstrip("/"):
            raise _RefusalError(404, "unknown path")
        if request.method != "POST":
            raise _RefusalError(405, "only POST")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._reception.types and kind not in self._reception.types:
            raise _RefusalError(415, "wrong content type", kind)
        if not self._buckets.take(peer, time.monotonic()):
            raise _RefusalError(429, "too many requests")
        self._check_token(request.headers)

    def _check_token(self, headers: Mapping[str, str]) -> None:
        if self._settings.token is None:
            return
        wanted = f"Bearer {self._settings.token.reveal()}"
        if not hmac.compare_digest(headers.get("authorization", "").encode(), wanted.encode()):
            raise _RefusalError(401, "wrong token")

    async def _body(self, request: Request) -> bytes:
        from starlette.requests import ClientDisconnect

        limit = self._settings.max_body
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise _RefusalError(413, "too large", f"{length} bytes announced, {limit} allowed")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._settings.timeout):
                async for part in request.stream():
                    size += len(part)
                    if size > limit:
                        raise _RefusalError(413, "too large", f"more than {limit} bytes")
                    parts.append(part)
        except TimeoutError:
            raise _RefusalError(408, "too slow") from None
        except ClientDisconnect:
            raise _RefusalError(400, "cut off") from None
        return b"".join(parts)

    def _believe(self, headers: Mapping[str, str], body: bytes) -> None:
        scheme, secret = self._reception.scheme, self._settings.secret
        if scheme is None or secret is None:
            return
        fault = signature.fault(scheme, secret.reveal(), headers, body, time.time())
        if fault is not None:
            raise _RefusalError(401, fault)

    def _key(self, headers: Mapping[str, str]) -> str:
        scheme = self._reception.scheme
        return headers.get(scheme.header.lower(), "") if self._reception.once and scheme else ""

    async def _hand_on(self, body: bytes, headers: Mapping[str, str], peer: str, key: str) -> Outcome:
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[Outcome] = loop.create_future()

        def settle(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(_resolve, settled, outcome)

        try:
            self._arrived.put_nowait(
                Parcel(body, f"POST from {peer}", headers=headers, key=key, settle=settle)
            )
        except queue.Full:
            raise _RefusalError(503, "busy") from None
        try:
            return await asyncio.wait_for(settled, self._settings.timeout)
        except TimeoutError:
            raise _RefusalError(503, "not safe in time") from None


def _resolve(settled: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not settled.done():
        settled.set_result(outcome)


def _unpacked(headers: Mapping[str, str], body: bytes, limit: int) -> bytes:
    if headers.get("content-encoding", "").lower() != "gzip":
        return body
    try:
        return gunzip(body, limit)
    except TooLargeError as error:
        raise _RefusalError(413, "too large", str(error)) from None
    except ValueError as error:
        raise _RefusalError(400, "not gzip", str(error)) from None
