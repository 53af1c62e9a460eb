"""Node-RED: the alert to an HTTP node."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import basic, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Headers, Url


class Settings(HttpSettings):
    """Keys below `nodered`."""

    needs = ("address",)
    address: Url
    user: str = ""
    password: SecretStr = SecretStr("")
    customheaders: Headers = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    head = basic(settings.user, settings.password) | settings.customheaders
    return send("POST", settings.address, event_json(alert), head)


OUTPUT = Output("nodered", "Node-RED: the alert to an HTTP node", Settings, request)
