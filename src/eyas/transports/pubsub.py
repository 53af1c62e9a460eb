"""A Google Pub/Sub subscription, pulled over its REST interface; a message is acknowledged when it is safe."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyas.errors import PassingError, UsageError
from eyas.transports import exchange
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.patience import patiently
from eyas.transports.receipts import Receipts

if TYPE_CHECKING:
    import httpx

SCOPE = "https://www.googleapis.com/auth/pubsub"
PUBLIC = "https://pubsub.googleapis.com"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which subscription."""

    project: Annotated[str, "Project of the subscription."]
    subscription: Annotated[str, "Name of the subscription."]
    credentials: Annotated[Path | None, "Key file of a service account; else the machine's identity."] = None
    endpoint: Annotated[str, "Other address of the service."] = ""
    most: Annotated[int, "Messages that one request brings."] = 500
    interval: Annotated[float, "Seconds to wait when nothing came."] = 1.0


class Subscription:
    """One subscription and the token for it."""

    def __init__(self, settings: Settings) -> None:
        import httpx

        emulator = os.environ.get("PUBSUB_EMULATOR_HOST", "")
        base = settings.endpoint or (f"http://{emulator}" if emulator else PUBLIC)
        self.url = f"{base}/v1/projects/{settings.project}/subscriptions/{settings.subscription}"
        self._identity = None if base.startswith("http://") else _identity(settings)
        self._client = httpx.Client(timeout=90)

    def __enter__(self) -> httpx.Client:
        return self._client.__enter__()

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call a method of the subscription."""
        page = exchange.expected(
            exchange.send(
                self._client, "POST", f"{self.url}:{verb}", self._headers(), json.dumps(body).encode()
            )
        )
        answer = json.loads(page.body or b"{}")
        return answer if isinstance(answer, dict) else {}

    def acknowledge(self, receipts: Sequence[str]) -> None:
        """These messages are safe."""
        self.call("acknowledge", {"ackIds": list(receipts)})

    def give_back(self, receipts: Sequence[str]) -> None:
        """These messages are to come again, at once."""
        self.call("modifyAckDeadline", {"ackIds": list(receipts), "ackDeadlineSeconds": 0})

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._identity is not None:
            headers["Authorization"] = f"Bearer {_token(self._identity)}"
        return headers


def probe(settings: Settings) -> str:
    """Pull nothing more than one message, and give it back."""
    subscription = Subscription(settings)
    with subscription:
        found = subscription.call("pull", {"maxMessages": 1, "returnImmediately": True}).get(
            "receivedMessages", []
        )
        if found:
            subscription.give_back([one["ackId"] for one in found])
    return f"subscription {settings.subscription} can be pulled"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message."""
    subscription = Subscription(settings)
    link.status.where = subscription.url
    with subscription:
        safe = Receipts(subscription.acknowledge, settings.most, link)
        again = Receipts(subscription.give_back, settings.most, link)
        try:
            while not link.stop.is_set():
                answer = patiently(link, lambda: subscription.call("pull", {"maxMessages": settings.most}))
                link.status.turn("running")
                found = answer.get("receivedMessages", [])
                for one in found:
                    yield from _parcel(one, safe, again, link)
                if not found and link.wait(settings.interval):
                    return
        finally:
            safe.close()
            again.close()


def _parcel(one: dict[str, Any], safe: Receipts, again: Receipts, link: Link) -> Iterator[Parcel]:
    message = one.get("message", {})
    origin = f"message {message.get('messageId', '?')}"

    def settle(outcome: Outcome) -> None:
        (again if outcome is Outcome.AGAIN else safe).add(one["ackId"])

    try:
        body = base64.b64decode(message.get("data", ""), validate=True)
    except (binascii.Error, TypeError) as error:
        link.status.refuse("not base64", origin, str(error))
        settle(Outcome.REFUSED)
        return
    yield Parcel(body, origin, headers=message.get("attributes") or {}, settle=settle)


def _identity(settings: Settings) -> Any:
    try:
        import google.auth
        import google.auth.exceptions
    except ImportError:
        raise UsageError("google-auth is not installed", "pip install 'eyas[gcp]'") from None
    try:
        if settings.credentials is not None:
            load: Any = google.auth.load_credentials_from_file
            return load(str(settings.credentials), scopes=[SCOPE])[0]
        return google.auth.default(scopes=[SCOPE])[0]
    except google.auth.exceptions.GoogleAuthError as error:
        raise UsageError(f"google: {error}") from None


def _token(identity: Any) -> str:
    import google.auth.exceptions
    import google.auth.transport.requests

    if not identity.valid:
        try:
            identity.refresh(google.auth.transport.requests.Request())
        except google.auth.exceptions.GoogleAuthError as error:
            raise PassingError(f"google: {error}") from None
    return str(identity.token)
