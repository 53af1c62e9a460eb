"""CloudEvents: the alert as an event in binary mode, for Knative and its like."""

import re
from urllib.parse import quote

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import send
from eyas.outputs.body.markup import line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Map, Url

# Printable ASCII without blank, quote and percent stays; the rest is encoded (HTTP binding, 3.1.3.2).
_SAFE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_NAME = re.compile(r"[^a-z0-9]")


class Settings(HttpSettings):
    """Keys below `cloudevents`."""

    needs = ("address",)
    address: Url
    extensions: Map = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One event; its id is that of the alert, so that a repeat is known."""
    own = {
        "priority": event.priority(alert),
        "rule": alert.rule,
        "eventsource": event.source(alert),
        "hostname": alert.hostname,
    }
    extensions = {_NAME.sub("", name.lower()): value for name, value in (own | settings.extensions).items()}
    head = {
        "ce-specversion": "1.0",
        "ce-id": event.identity(alert),
        "ce-source": "https://falco.org",
        "ce-type": "falco.rule.output.v1",
        "ce-time": event.timestamp(alert),
    }
    head |= {
        f"ce-{name}": quote(line(value), safe=_SAFE) for name, value in extensions.items() if value and name
    }
    return send("POST", settings.address, event.event_json(alert), head, "application/json")


OUTPUT = Output("cloudevents", "CloudEvents: the alert as an event in binary mode", Settings, request)
