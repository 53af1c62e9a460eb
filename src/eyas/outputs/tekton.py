"""Tekton: the alert to an event listener, which starts a pipeline."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `tekton`."""

    needs = ("eventlistener",)
    eventlistener: Url


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    return send("POST", settings.eventlistener, event_json(alert))


OUTPUT = Output("tekton", "Tekton: the alert to an event listener", Settings, request)
