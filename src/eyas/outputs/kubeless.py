"""Kubeless: the alert to a function. The project is retired; functions that still run are still called."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event, kube
from eyas.outputs.body.http import send
from eyas.outputs.body.markup import header
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.wire.kubernetes import open_outside


class Settings(HttpSettings):
    """Keys below `kubeless`."""

    needs = ("function", "namespace")
    function: str
    namespace: str
    port: int = 8080
    kubeconfig: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One call."""
    service, space, port = settings.function, settings.namespace, settings.port
    inside = f"http://{service}.{space}.svc.cluster.local:{port}"
    head = {
        "event-id": event.identity(alert),
        "event-type": "falco",
        "event-namespace": header(settings.namespace),
    }
    url = kube.proxy(service, space, port, "") if settings.kubeconfig else inside
    return send("POST", url, event.event_json(alert), head, "application/json")


OUTPUT = Output(
    "kubeless",
    "Kubeless (retired): the alert to a function",
    Settings,
    request,
    open=open_outside,
    note="the project is retired; functions that still run are called",
)
