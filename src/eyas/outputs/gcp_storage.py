"""Google Cloud Storage: the alert as an object of a bucket."""

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event, objects
from eyas.outputs.body.http import part, send
from eyas.outputs.card import WHOLE, Output
from eyas.outputs.wire.gcp import GcpSettings, Link


class StorageSettings(GcpSettings):
    """Keys below `gcp.storage`."""

    needs = ("bucket",)
    bucket: str
    prefix: str = ""


def request(alert: Alert, settings: StorageSettings) -> Request:
    """One object."""
    where = f"b/{part(settings.bucket)}/o?uploadType=media&name={part(objects.key(settings.prefix, alert))}"
    url = f"https://storage.googleapis.com/upload/storage/v1/{where}"
    return send("POST", url, event.event_json(alert), kind="application/json")


OUTPUT = Output(
    "gcp.storage",
    "Google Cloud Storage: an object",
    StorageSettings,
    request,
    open=Link,
    libraries={"google.auth": "gcp"},
    largest=WHOLE,
)
