"""Kafka REST proxy: the alert as a record of a topic."""

import base64
from collections.abc import Sequence
from typing import Literal

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import encode, event_json
from eyas.outputs.body.http import send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `kafkarest`."""

    needs = ("address",)
    address: Url
    version: Literal[1, 2, "1", "2"] = "2"


def request(alert: Alert, settings: Settings) -> Request:
    """One record."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many records."""
    records = [{"value": base64.b64encode(event_json(alert)).decode()} for alert in alerts]
    kind = f"application/vnd.kafka.binary.v{settings.version}+json"
    return [send("POST", settings.address, encode({"records": records}), kind=kind)]


OUTPUT = Output(
    "kafkarest", "Kafka REST proxy: a record of a topic", Settings, request, requests=requests, batch=100
)
