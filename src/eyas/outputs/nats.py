"""NATS: the alert under a subject made of its priority and rule."""

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event
from eyas.outputs.body.subject import PATTERN, subject
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.wire.nats import Link


class NatsSettings(HttpSettings):
    """Keys below `nats`."""

    needs = ("hostport",)
    ignored = ("clusterid", "clientid")
    hostport: str
    subjecttemplate: str = PATTERN
    jetstream: bool = False


def request(alert: Alert, settings: NatsSettings) -> Request:
    """One message."""
    head = {"subject": subject(settings.subjecttemplate, alert), "id": event.identity(alert)}
    return Request("PUBLISH", settings.hostport, head, event.event_json(alert))


def open_link(settings: NatsSettings) -> Sender:
    """One connection."""
    return Link(settings, settings.jetstream)


OUTPUT = Output(
    "nats",
    "NATS: the alert under a subject",
    NatsSettings,
    request,
    open=open_link,
    batch=500,
    libraries={"nats": "nats"},
)
