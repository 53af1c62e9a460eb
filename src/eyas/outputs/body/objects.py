"""Keys of objects in a bucket: `prefix/2023-11-14/2023-11-14T22:13:20.123456789Z-537bb2cd.json`."""

from __future__ import annotations

from eyas.alert import Alert
from eyas.outputs.body import event


def key(prefix: str, alert: Alert) -> str:
    """Day and time of the alert; a piece of its id keeps apart what happened in the same nanosecond."""
    when = event.timestamp(alert)
    path = f"{when[:10]}/{when}-{event.identity(alert)[:8]}.json"
    return f"{prefix.strip('/')}/{path}" if prefix.strip("/") else path
