"""Zincsearch: the alert as a document."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import basic, join, part, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `zincsearch`."""

    needs = ("hostport",)
    hostport: Url
    index: str = "falco"
    username: str = ""
    password: SecretStr = SecretStr("")


def request(alert: Alert, settings: Settings) -> Request:
    """One document."""
    url = join(settings.hostport, "api", part(settings.index), "_doc")
    return send("POST", url, event_json(alert), basic(settings.username, settings.password))


OUTPUT = Output("zincsearch", "Zincsearch: the alert as a document", Settings, request)
