"""HTTP(S) for services that push: authentication, limits, and an answer only when the events are safe.

The core listens: it reads whole requests within their limits. What a service signs, and what it asks for, is judged here.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from eyas import _core
from eyas.errors import RunError, UsageError
from eyas.transports import signature
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.secret import Secret

POLL = 0.2
MOST = 256  # requests of one look
HEAD_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where to listen and whom to believe."""

    listen: Annotated[str, "Address and port to listen on."] = "127.0.0.1:9765"
    path: Annotated[str, "Path that the service posts to."] = "/"
    token: Annotated[Secret | None, "Token that clients send as `Authorization: Bearer …`."] = None
    certificate: Annotated[Path | None, "File with the server's certificate chain, for HTTPS."] = None
    key: Annotated[Path | None, "File with the certificate's private key."] = None
    client_ca: Annotated[Path | None, "File with the authority that signs client certificates."] = None
    max_body: Annotated[int, "Largest body in bytes, unpacked."] = 12_582_912
    rate: Annotated[float, "Requests a second that one address may send."] = 50_000.0
    timeout: Annotated[float, "Seconds for a body to arrive, and for its events to become safe."] = 10.0
    waiting: Annotated[int, "Bodies that may wait to be judged."] = 256


@dataclass(frozen=True, kw_only=True)
class Signed(Settings):
    """The same, of a service that signs what it sends."""

    secret: Annotated[Secret | None, "Secret that the service signs requests with."] = None


@dataclass(frozen=True, slots=True)
class Reception:
    """What a service's requests look like.

    `greet` answers those that hold no events, such as a challenge. With `once`, a signature that was seen is a
    request that is sent again: it is answered, and goes no further. `kept` names the headers that parcels have.
    """

    scheme: signature.Scheme | None = None
    types: tuple[str, ...] = ("application/json",)
    greet: Callable[[bytes], bytes | None] | None = None
    sign_always: bool = False
    once: bool = False
    kept: tuple[str, ...] = ()

    def headers(self) -> list[str]:
        """Names of all headers that are looked at, in lower case."""
        signed = (self.scheme.header, self.scheme.time_header) if self.scheme else ()
        return [name.lower() for name in (*self.kept, *signed) if name]


def address(listen: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"listen is '{listen}', expected HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)


def check(settings: Settings, reception: Reception) -> None:
    """Refuse a listener that anybody could write to."""
    host, _ = address(settings.listen)
    secret = _secret(settings)
    proven = settings.token or settings.client_ca or (secret and reception.scheme)
    if not proven and not is_loopback(host):
        hint = "set token, client_ca or, where the service signs, secret"
        raise UsageError(f"listen is '{settings.listen}': authentication is needed beyond this machine", hint)
    if reception.sign_always and not secret:
        raise UsageError("secret is missing", "the service signs its requests; give the secret it signs with")
    if settings.client_ca and not settings.certificate:
        raise UsageError("client_ca needs certificate", "client certificates come with HTTPS")


def _secret(settings: Settings) -> Secret | None:
    return settings.secret if isinstance(settings, Signed) else None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parcels(settings: Settings, link: Link, reception: Reception) -> Iterator[Parcel]:
    """Serve until stopped; every body becomes a parcel."""
    check(settings, reception)
    listener = _listener(settings, reception)
    door = Door(settings, reception, link, listener)
    link.status.where = _url(settings, listener)
    link.status.turn("running")
    try:
        while not link.stop.is_set():
            yield from door.look()
    except _core.CoreError as error:
        raise RunError(f"the listener on {settings.listen} ended: {error}") from None
    finally:
        listener.stop()


def probe(settings: Settings, reception: Reception) -> str:
    """Check that the address is free and the certificate loads."""
    check(settings, reception)
    listener = _listener(settings, reception)
    listener.stop()
    return f"can listen on {_url(settings, listener)}"


def _listener(settings: Settings, reception: Reception) -> _core.Listener:
    host, port = address(settings.listen)
    try:
        return _core.Listener(
            host,
            port,
            settings.path,
            token=settings.token.reveal() if settings.token else None,
            types=reception.types,
            kept=reception.headers(),
            max_body=settings.max_body,
            rate=settings.rate,
            timeout=settings.timeout,
            head=HEAD_SECONDS,
            waiting=settings.waiting,
            tls=_files(settings),
        )
    except OSError as error:
        raise RunError(
            f"cannot listen on {settings.listen}: {(error.strerror or str(error)).lower()}"
        ) from None
    except _core.CoreError as error:
        raise UsageError(str(error)) from None


def _files(settings: Settings) -> tuple[str, str | None, str | None] | None:
    if settings.certificate is None:
        return None
    key, authority = (str(file) if file else None for file in (settings.key, settings.client_ca))
    return str(settings.certificate), key, authority


def _url(settings: Settings, listener: _core.Listener) -> str:
    host, port = listener.address
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.certificate else 'http'}://{shown}:{port}{settings.path}"


class Door:
    """Whole requests, as parcels that answer when they are settled."""

    def __init__(
        self, settings: Settings, reception: Reception, link: Link, listener: _core.Listener
    ) -> None:
        secret = _secret(settings)
        self._secret = secret.reveal() if secret else ""
        self._reception = reception
        self._link = link
        self._listener = listener

    def look(self) -> Iterator[Parcel]:
        """What has arrived since the last look."""
        requests, refusals = self._listener.next(MOST, POLL)
        for peer, reason, detail, count in refusals:
            self._link.status.refuse(reason, f"POST from {peer}", detail, count)
        for number, peer, headers, body in requests:
            if parcel := self._parcel(number, f"POST from {peer}", headers, body):
                yield parcel

    def _parcel(self, number: int, origin: str, headers: Mapping[str, str], body: bytes) -> Parcel | None:
        """A request as a parcel; None when it is answered at once."""
        if fault := self._fault(headers, body):
            self._link.status.refuse(fault, origin)
            self._listener.answer(number, 401, f"{fault}\n".encode())
            return None
        greeting = self._reception.greet(body) if self._reception.greet else None
        if greeting is not None:
            self._listener.answer(number, 200, greeting)
            return None
        key = self._key(headers)
        if key and self._link.seen(key):
            self._link.status.refuse("replayed", origin)
            self._listener.answer(number, 200, b"")
            return None
        return Parcel(body, origin, None, headers, key, lambda outcome: self._settle(number, outcome))

    def _fault(self, headers: Mapping[str, str], body: bytes) -> str | None:
        scheme = self._reception.scheme
        if scheme is None or not self._secret:
            return None
        return signature.fault(scheme, self._secret, headers, body, time.time())

    def _key(self, headers: Mapping[str, str]) -> str:
        scheme = self._reception.scheme
        return headers.get(scheme.header.lower(), "") if self._reception.once and scheme else ""

    def _settle(self, number: int, outcome: Outcome) -> None:
        status, body = _ANSWERS[outcome]
        self._listener.answer(number, status, body)


_ANSWERS = {
    Outcome.SAFE: (200, b""),
    Outcome.REFUSED: (400, b"refused\n"),
    Outcome.AGAIN: (503, b"again\n"),
}
