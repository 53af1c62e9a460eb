"""OpenFaaS: the alert to a function, through the gateway."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event, kube
from eyas.outputs.body.http import part, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.wire.kubernetes import open_outside


class Settings(HttpSettings):
    """Keys below `openfaas`."""

    needs = ("functionname",)
    functionname: str
    functionnamespace: str = "openfaas-fn"
    gatewaynamespace: str = "openfaas"
    gatewayservice: str = "gateway"
    gatewayport: int = 8080
    kubeconfig: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One call."""
    path = f"function/{part(settings.functionname)}.{part(settings.functionnamespace)}"
    service, space, port = settings.gatewayservice, settings.gatewaynamespace, settings.gatewayport
    inside = f"http://{service}.{space}:{port}/{path}"
    url = kube.proxy(service, space, port, path) if settings.kubeconfig else inside
    return send("POST", url, event.event_json(alert), {"event-id": event.identity(alert)})


OUTPUT = Output("openfaas", "OpenFaaS: the alert to a function", Settings, request, open=open_outside)
