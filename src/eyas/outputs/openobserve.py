"""OpenObserve: the alert as a record of a stream."""

from collections.abc import Sequence

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import basic, join, part, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, Url


class Settings(HttpSettings):
    """Keys below `openobserve`."""

    needs = ("hostport",)
    hostport: Url
    organizationname: str = "default"
    streamname: str = "falco"
    username: str = ""
    password: SecretStr = SecretStr("")
    customheaders: Headers = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One record."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many records, a line each."""
    url = join(settings.hostport, "api", part(settings.organizationname), part(settings.streamname), "_multi")
    head = basic(settings.username, settings.password) | settings.customheaders
    return [send("POST", url, b"\n".join(map(event_json, alerts)), head)]


OUTPUT = Output(
    "openobserve", "OpenObserve: a record of a stream", Settings, request, requests=requests, batch=500
)
