"""Fission: the alert to a function, through the router."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event, kube
from eyas.outputs.body.http import part, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.wire.kubernetes import open_outside


class Settings(HttpSettings):
    """Keys below `fission`."""

    needs = ("function",)
    function: str
    functionnamespace: str = "fission-function"
    routernamespace: str = "fission"
    routerservice: str = "router"
    routerport: int = 80
    kubeconfig: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One call."""
    where = kube.proxy if settings.kubeconfig else kube.service
    path = f"fission-function/{part(settings.function)}"
    url = where(settings.routerservice, settings.routernamespace, settings.routerport, path)
    return send("POST", url, event.event_json(alert), {"event-id": event.identity(alert)}, "application/json")


OUTPUT = Output("fission", "Fission: the alert to a function", Settings, request, open=open_outside)
