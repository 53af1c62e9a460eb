"""Google Cloud Run: the alert to a service."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `gcp.cloudrun`."""

    needs = ("endpoint",)
    endpoint: Url
    jwt: SecretStr = SecretStr("")


def request(alert: Alert, settings: Settings) -> Request:
    """One call."""
    token = reveal(settings.jwt)
    return send(
        "POST",
        settings.endpoint,
        event.event_json(alert),
        {"Authorization": f"Bearer {token}"} if token else {},
    )


OUTPUT = Output("gcp.cloudrun", "Google Cloud Run: the alert to a service", Settings, request)
