"""Requests to Google's services, with the credentials of a key file or of the machine."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from eyas.delivery import Answer, Request, classify, in_turn, retry
from eyas.errors import UsageError
from eyas.outputs.body.http import reveal
from eyas.outputs.card import Settings, library

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GcpSettings(Settings):
    """Keys that stand at `gcp` for all of its services."""

    shared = ("credentials", "workloadidentity")
    credentials: SecretStr = SecretStr("")
    workloadidentity: str = ""  # the machine's identity counts whenever there is no key file


class Link:
    """A session that proves who we are, and renews the proof."""

    def __init__(self, settings: GcpSettings) -> None:
        library("google.auth", "gcp")
        self.requests = library("google.auth.transport.requests", "gcp")
        self.errors = (library("google.auth.exceptions", "gcp").GoogleAuthError, OSError)
        self.settings = settings
        self.session: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One request after the other."""
        return in_turn(batch, self._one)

    def close(self) -> None:
        """Let go of the connections."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _one(self, request: Request) -> Answer:
        try:
            if self.session is None:
                self.session = self.requests.AuthorizedSession(credentials(self.settings))
            reply = self.session.request(
                request.method, request.url, data=request.body, headers=dict(request.headers), timeout=30
            )
            return classify(reply.status_code, reply.headers, reply.content)
        except self.errors as error:
            return retry(f"Google: {error}"[:300])


def credentials(settings: GcpSettings) -> Any:
    """Those of the key file, else those of the machine."""
    key = reveal(settings.credentials)
    if not key:
        return library("google.auth", "gcp").default(scopes=[SCOPE])[0]
    try:
        info = json.loads(base64.b64decode(key, validate=True))
        kind = library("google.oauth2.service_account", "gcp").Credentials
        return kind.from_service_account_info(info, scopes=[SCOPE])
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"gcp.credentials: expected a key file in base64: {error}") from None
