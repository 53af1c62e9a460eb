"""Google SecOps, once Chronicle: the alert as a raw log."""

import base64
from collections.abc import Sequence

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import part, post
from eyas.outputs.card import Output
from eyas.outputs.wire.gcp import GcpSettings, Link


class ChronicleSettings(GcpSettings):
    """Keys below `gcp.chronicle`."""

    needs = ("projectid", "instanceid")
    region: str = "us"
    projectid: str
    instanceid: str
    logtype: str = "FALCO_IDS"


def request(alert: Alert, settings: ChronicleSettings) -> Request:
    """One log."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: ChronicleSettings) -> list[Request]:
    """Many logs."""
    region = part(settings.region)
    where = f"projects/{part(settings.projectid)}/locations/{region}/instances/{part(settings.instanceid)}"
    url = f"https://{region}-chronicle.googleapis.com/v1beta/{where}/logTypes/{part(settings.logtype)}/logs:import"
    logs = [
        {
            "data": base64.b64encode(event.event_json(alert)).decode(),
            "logEntryTime": event.timestamp(alert),
            "collectionTime": event.timestamp(alert),
        }
        for alert in alerts
    ]
    return [post(url, {"inlineSource": {"logs": logs}}, {"Content-Type": "application/json"})]


OUTPUT = Output(
    "gcp.chronicle",
    "Google SecOps (Chronicle): a raw log",
    ChronicleSettings,
    request,
    requests=requests,
    batch=100,
    open=Link,
    libraries={"google.auth": "gcp"},
)
