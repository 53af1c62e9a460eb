"""Webhook: the alert as JSON to any address, signed if a secret is given."""

import hashlib
import hmac
from typing import Annotated, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import UPPER, Headers, SecretUrl


class Settings(HttpSettings):
    """Keys below `webhook`."""

    needs = ("address",)
    address: SecretUrl
    method: Annotated[Literal["POST", "PUT"], UPPER] = "POST"
    customheaders: Headers = {}
    secret: SecretStr = SecretStr("")


def request(alert: Alert, settings: Settings) -> Request:
    """The event; with a secret, `X-Eyas-Signature` holds the HMAC-SHA256 of the body, as GitHub signs its own."""
    body = event_json(alert)
    return send(settings.method, settings.address, body, signature(body, settings) | settings.customheaders)


def signature(body: bytes, settings: Settings) -> dict[str, str]:
    """Header by which the receiver knows that the body is ours."""
    key = reveal(settings.secret).encode()
    return {"X-Eyas-Signature": f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"} if key else {}


OUTPUT = Output("webhook", "Webhook: the alert as JSON to any address", Settings, request)
