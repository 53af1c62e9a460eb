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
    service, space, port = settings.routerservice, settings.routernamespace, settings.routerport
    path = f"fission-function/{part(settings.function)}"
    inside = f"http://{service}.{space}.svc.cluster.local:{port}/{path}"
    url = kube.proxy(service, space, port, path) if settings.kubeconfig else inside
    return send("POST", url, event.event_json(alert), {"event-id": event.identity(alert)}, "application/json")


OUTPUT = Output("fission", "Fission: the alert to a function", Settings, request, open=open_outside)
