"""InfluxDB: the alert as a point of the measurement `events`, for versions 1 and 2."""

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import basic, join, part, reveal, send
from eyas.outputs.body.markup import fitted, line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url

LONGEST = 65_000  # bytes; the service takes 65,535 for measurement and tags
STEPS = {"ns": 1, "us": 10**3, "u": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_SPECIAL = re.compile(r"([,= ])")
# Version 2 knows fewer steps; a time in whole seconds is one in all of them.
_STEPS_2 = {"u": "us", "m": "s", "h": "s"}
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
    token = reveal(settings.token)
    precision = _STEPS_2.get(settings.precision, settings.precision) if token else settings.precision
    body = "\n".join(point(alert, STEPS[precision]) for alert in alerts).encode()
    if token:
        where = f"org={part(settings.organization)}&bucket={part(settings.bucket)}&precision={precision}"
        url, head = join(settings.hostport, "api/v2/write"), {"Authorization": f"Token {token}"}
    else:
        where = f"db={part(settings.database)}&precision={precision}"
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
    shown = _joined({name: value for name, value in tags.items() if name and value})
    text = line(event.output(alert)).replace("\\", "\\\\").replace('"', '\\"')
    return f'events{shown} value="{text}" {alert.ts // step}'


def _joined(tags: dict[str, str]) -> str:
    """The tags; each is cut to an even share when all together are longer than the key of a series may be."""
    whole = "".join(f",{_tag(name)}={_tag(value)}" for name, value in tags.items())
    if len(whole.encode()) <= LONGEST:
        return whole
    share = LONGEST // (8 * len(tags))  # a name and a value, each sign of which takes four bytes at most
    return "".join(
        f",{fitted(name, share, _tag)}={fitted(value, share, _tag)}" for name, value in tags.items()
    )


def _tag(text: object) -> str:
    return _SPECIAL.sub(r"\\\1", _LOOSE.sub("/", line(str(text)).replace(" ", "_")))


OUTPUT = Output(
    "influxdb", "InfluxDB: a point of the measurement events", Settings, request, requests=requests, batch=500
)
