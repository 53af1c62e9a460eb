"""InfluxDB: the alert as a point of the measurement `events`, for versions 1 and 2."""

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import basic, join, part, reveal, send
from eyas.outputs.body.markup import line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url

STEPS = {"ns": 1, "us": 10**3, "u": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_SPECIAL = re.compile(r"([,= ])")
# A backslash before a sign that is escaped, or at the end, would take that escape away.
_LOOSE = re.compile(r"\\(?=[,= \\]|$)")


class Settings(HttpSettings):
    """Keys below `influxdb`."""

    needs = ("hostport",)
    hostport: Url
    database: str = "falco"
    user: str = ""
    password: SecretStr = SecretStr("")
    organization: str = ""
    bucket: str = "falco"
    token: SecretStr = SecretStr("")
    precision: Literal["ns", "us", "u", "ms", "s", "m", "h"] = "ns"


def request(alert: Alert, settings: Settings) -> Request:
    """One point."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many points, a line each."""
    body = "\n".join(point(alert, STEPS[settings.precision]) for alert in alerts).encode()
    token = reveal(settings.token)
    if token:
        where = (
            f"org={part(settings.organization)}&bucket={part(settings.bucket)}&precision={settings.precision}"
        )
        url, head = join(settings.hostport, "api/v2/write"), {"Authorization": f"Token {token}"}
    else:
        where = f"db={part(settings.database)}&precision={settings.precision}"
        url, head = join(settings.hostport, "write"), basic(settings.user, settings.password)
    return [
        send(
            "POST", f"{url}?{where}", body, {"Accept": "application/json"} | head, "text/plain; charset=utf-8"
        )
    ]


def point(alert: Alert, step: int) -> str:
    """One line of the line protocol; blanks in tags are underscores, as dashboards expect them."""
    tags = {
        "rule": alert.rule,
        "priority": event.priority(alert),
        "source": event.source(alert),
        **event.texts(alert),
        "hostname": alert.hostname,
        "tags": "_".join(event.tags(alert)),
    }
    shown = "".join(f",{_tag(name)}={_tag(value)}" for name, value in tags.items() if name and value)
    text = line(event.output(alert)).replace("\\", "\\\\").replace('"', '\\"')
    return f'events{shown} value="{text}" {alert.ts // step}'


def _tag(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", _LOOSE.sub("/", line(text).replace(" ", "_")))


OUTPUT = Output(
    "influxdb", "InfluxDB: a point of the measurement events", Settings, request, requests=requests, batch=500
)
