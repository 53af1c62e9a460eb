"""Google Cloud Functions: the alert to a function."""

from urllib.parse import quote

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import post
from eyas.outputs.card import Output
from eyas.outputs.wire.gcp import GcpSettings, Link


class FunctionSettings(GcpSettings):
    """Keys below `gcp.cloudfunctions`; the name is `projects/…/locations/…/functions/…`."""

    needs = ("name",)
    name: str


def request(alert: Alert, settings: FunctionSettings) -> Request:
    """One call."""
    url = f"https://cloudfunctions.googleapis.com/v1/{quote(settings.name.strip('/'))}:call"
    return post(url, {"data": event.event_json(alert).decode()})


OUTPUT = Output(
    "gcp.cloudfunctions",
    "Google Cloud Functions: a call",
    FunctionSettings,
    request,
    open=Link,
    libraries={"google.auth": "gcp"},
)
