"""Requests over HTTP: one client for a receiver, with its certificates, behind the proxy of the environment."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from eyas.delivery.request import Answer, Outcome, Request, Trust, classify, in_turn, retry
from eyas.errors import UsageError

AGENT = "Eyas"
CONNECT, READ, WHOLE = 5.0, 10.0, 30.0
MOST = 1 << 18  # bytes of an answer that are read

Judge = Callable[[int, Mapping[str, str], bytes], Answer]
Mend = Callable[[Request, bytes], Request | None]


def context(trust: Trust) -> ssl.SSLContext:
    """Whom the connection believes, and what it shows of itself."""
    try:
        made = ssl.create_default_context()
        if trust.ca_file or trust.ca_path:
            made.load_verify_locations(trust.ca_file, trust.ca_path)
        if trust.cert_file:
            made.load_cert_chain(trust.cert_file, trust.key_file or None)
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(
            name for name in (trust.ca_file, trust.ca_path, trust.cert_file, trust.key_file) if name
        )
        raise UsageError(f"certificates {names}: {getattr(error, 'strerror', None) or error}") from None
    if not trust.check:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class HttpSender:
    """Sends requests one after the other and keeps the connection."""

    def __init__(
        self, trust: Trust, judge: Judge | None = None, mend: Mend | None = None, agent: str = AGENT
    ) -> None:
        import httpx

        self._judge = judge or classify
        self._mend = mend
        self._client: Any = httpx.Client(
            verify=context(trust),
            timeout=httpx.Timeout(READ, connect=CONNECT),
            headers={"User-Agent": agent},
            follow_redirects=False,
        )

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Send the batch; after one that has to come back, the rest waits, so that the order holds."""
        return in_turn(batch, self._mended)

    def _mended(self, request: Request) -> Answer:
        answer, body = self._one(request)
        if answer.outcome is Outcome.REFUSED and self._mend and (better := self._mend(request, body)):
            answer, _ = self._one(better)
        return answer

    def _one(self, request: Request) -> tuple[Answer, bytes]:
        import httpx

        deadline = time.monotonic() + WHOLE
        try:
            with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body
            ) as reply:
                body = b""
                for part in reply.iter_bytes():
                    body += part
                    if len(body) > MOST:
                        break
                    if time.monotonic() > deadline:
                        return retry(f"no whole answer within {WHOLE:.0f} s"), body
                return self._judge(reply.status_code, reply.headers, body), body
        except httpx.InvalidURL as error:
            return Answer(Outcome.REFUSED, f"address: {error}"), b""
        except (httpx.HTTPError, ssl.SSLError, OSError, ValueError) as error:
            return retry(_fault(request.url, error)), b""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _fault(url: str, error: Exception) -> str:
    """Whom we could not speak to, and why; only host and port, for the rest of an address may be a secret."""
    place = urlsplit(url)
    told = str(error) or type(error).__name__
    return f"{place.hostname}{f':{place.port}' if place.port else ''}: {told}"[:300]
