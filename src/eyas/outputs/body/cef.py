"""The alert in the Common Event Format, version 0."""

from __future__ import annotations

import re

from eyas.alert import Alert
from eyas.outputs.body import event
from eyas.outputs.body.markup import line

SEVERITIES = {
    "debug": 0,
    "informational": 3,
    "notice": 4,
    "warning": 6,
    "error": 7,
    "critical": 8,
    "alert": 9,
    "emergency": 10,
}
_HEADER = re.compile(r"([\\|])")
_VALUE = re.compile(r"([\\=])")


def cef(alert: Alert) -> str:
    """One line; pipes in the head and equal signs in values are escaped."""
    severity = SEVERITIES.get(alert.priority.lower(), 10)
    values = {
        "uuid": event.identity(alert),
        "start": event.timestamp(alert),
        "msg": event.output(alert),
        "source": event.source(alert),
        "hostname": alert.hostname,
        "outputfields": " ".join(f"{name}:{value}" for name, value in event.texts(alert).items()),
        "tags": ",".join(event.tags(alert)),
    }
    extension = " ".join(f"{name}={_escaped(_VALUE, value)}" for name, value in values.items() if value)
    return f"CEF:0|Falcosecurity|Falco|1.0|Falco Event|{_escaped(_HEADER, alert.rule)}|{severity}|{extension}"


def _escaped(special: re.Pattern[str], text: str) -> str:
    return special.sub(r"\\\1", line(text))
