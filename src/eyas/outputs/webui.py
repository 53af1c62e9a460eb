"""Falcosidekick-UI: the alert to its store."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event
from eyas.outputs.body.http import post
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Items, Url


class Settings(HttpSettings):
    """Keys below `webui`."""

    needs = ("url",)
    url: Url
    # Names that the page shows as outputs in use.
    outputs: Items = []


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    return post(settings.url, {"event": event(alert), "outputs": settings.outputs})


OUTPUT = Output("webui", "Falcosidekick-UI: the alert to its store", Settings, request)
