"""Access tokens by client credentials (RFC 6749, 4.4): fetched when needed, kept until they expire."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from eyas.errors import RunError
from eyas.transports import exchange
from eyas.transports.secret import Secret

EARLY = 60.0


@dataclass(slots=True)
class Tokens:
    """Tokens of one application for one interface."""

    url: str
    client: str
    secret: Secret
    scope: str
    _token: str = ""
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def headers(self) -> dict[str, str]:
        """Headers that carry a token."""
        with self._lock:
            if time.time() >= self._until:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    def renew(self) -> None:
        """Forget the token; the service refused it."""
        with self._lock:
            self._until = 0.0

    def _fetch(self) -> None:
        import httpx

        form = {"grant_type": "client_credentials", "client_id": self.client, "scope": self.scope}
        body = urllib.parse.urlencode({**form, "client_secret": self.secret.reveal()}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with httpx.Client(timeout=30) as client:
            page = exchange.send(client, "POST", self.url, headers, body)
        if page.status in (400, 401):
            raise RunError(
                f"{self.url} gives no token", "the client id or its secret is wrong or has expired"
            )
        answer = json.loads(exchange.expected(page).body)
        self._token = str(answer["access_token"])
        self._until = time.time() + max(0.0, float(answer.get("expires_in", 300)) - EARLY)
