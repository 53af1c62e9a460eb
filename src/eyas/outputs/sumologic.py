"""Sumo Logic: the alert to an HTTP source."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body.event import event_json
from eyas.outputs.body.http import send
from eyas.outputs.body.markup import header
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import SecretUrl


class Settings(HttpSettings):
    """Keys below `sumologic`."""

    needs = ("receiverurl",)
    receiverurl: SecretUrl
    sourcecategory: str = ""
    sourcehost: str = ""
    name: str = ""


def request(alert: Alert, settings: Settings) -> Request:
    """One message."""
    head = {
        "X-Sumo-Category": header(settings.sourcecategory),
        "X-Sumo-Host": header(settings.sourcehost),
        "X-Sumo-Name": header(settings.name),
    }
    return send("POST", settings.receiverurl, event_json(alert), {k: v for k, v in head.items() if v})


OUTPUT = Output("sumologic", "Sumo Logic: the alert to an HTTP source", Settings, request)
