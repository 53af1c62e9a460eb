"""STAN, the retired NATS Streaming: its server is gone, so the same subject is published through NATS JetStream."""

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event
from eyas.outputs.body.subject import PATTERN, subject
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.wire.nats import Link


class StanSettings(HttpSettings):
    """Keys below `stan`; cluster and client have no meaning without its server."""

    needs = ("hostport",)
    hostport: str
    clusterid: str = ""
    clientid: str = ""
    subjecttemplate: str = PATTERN


def request(alert: Alert, settings: StanSettings) -> Request:
    """One message."""
    head = {"subject": subject(settings.subjecttemplate, alert), "id": event.identity(alert)}
    return Request("PUBLISH", settings.hostport, head, event.event_json(alert))


def open_link(settings: StanSettings) -> Sender:
    """One connection."""
    return Link(settings, jetstream=True)


OUTPUT = Output(
    "stan",
    "STAN (retired): its subject through NATS JetStream",
    StanSettings,
    request,
    open=open_link,
    batch=500,
    note="the server of NATS Streaming is retired; alerts go to the same subject through JetStream",
    libraries={"nats": "nats"},
)
