"""Falco Talon: the alert to a response engine."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `talon`."""

    needs = ("address",)
    address: Url


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    return send("POST", settings.address, event_json(alert))


OUTPUT = Output("talon", "Falco Talon: the alert to a response engine", Settings, request)
