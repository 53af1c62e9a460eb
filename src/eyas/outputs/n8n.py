"""n8n: the alert to a webhook node."""

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import basic, reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url


class Settings(HttpSettings):
    """Keys below `n8n`."""

    needs = ("address",)
    address: Url
    user: str = ""
    password: SecretStr = SecretStr("")
    headerauthname: str = ""
    headerauthvalue: SecretStr = SecretStr("")


def request(alert: Alert, settings: Settings) -> Request:
    """One event."""
    head = basic(settings.user, settings.password)
    if settings.headerauthname:
        head |= {settings.headerauthname: reveal(settings.headerauthvalue)}
    return send("POST", settings.address, event_json(alert), head)


OUTPUT = Output("n8n", "n8n: the alert to a webhook node", Settings, request)
