"""Splunk: the alert to an HTTP event collector."""

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from eyas.alert import SECOND, Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, Url


class Settings(HttpSettings):
    """Keys below `splunk`."""

    needs = ("host",)
    host: Url
    token: SecretStr = SecretStr("")
    customheaders: Headers = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many events, one after the other, as the collector reads them."""
    token = reveal(settings.token)
    head = {"Authorization": f"Splunk {token}"} if token else {}
    body = b"\n".join(event.encode(_event(alert)) for alert in alerts)
    return [send("POST", settings.host, body, settings.customheaders | head)]


def _event(alert: Alert) -> dict[str, Any]:
    made = {
        "time": f"{alert.ts // SECOND}.{alert.ts % SECOND // 10**6:03}",
        "host": event.plain(alert.hostname),
        "sourcetype": "falcosidekick",
        "event": event.event(alert),
    }
    return {key: value for key, value in made.items() if value}


OUTPUT = Output(
    "splunk", "Splunk: the alert to an HTTP event collector", Settings, request, requests=requests, batch=100
)
