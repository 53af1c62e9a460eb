"""Google Pub/Sub: the alert as a message of a topic."""

import base64
from collections.abc import Sequence

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import part, post
from eyas.outputs.card import Output
from eyas.outputs.values import Map
from eyas.outputs.wire.gcp import GcpSettings, Link


class PubsubSettings(GcpSettings):
    """Keys below `gcp.pubsub`."""

    needs = ("projectid", "topic")
    projectid: str
    topic: str
    customattributes: Map = {}


def request(alert: Alert, settings: PubsubSettings) -> Request:
    """One message."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: PubsubSettings) -> list[Request]:
    """Many messages."""
    more = {"attributes": settings.customattributes} if settings.customattributes else {}
    messages = [{"data": base64.b64encode(event.event_json(alert)).decode(), **more} for alert in alerts]
    path = f"projects/{part(settings.projectid)}/topics/{part(settings.topic)}:publish"
    return [post(f"https://pubsub.googleapis.com/v1/{path}", {"messages": messages})]


OUTPUT = Output(
    "gcp.pubsub",
    "Google Pub/Sub: a message of a topic",
    PubsubSettings,
    request,
    requests=requests,
    batch=100,
    open=Link,
    libraries={"google.auth": "gcp"},
)
