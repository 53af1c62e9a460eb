"""Loki: the alert as a line of a stream, with few labels."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import basic, join, post
from eyas.outputs.body.labels import labels
from eyas.outputs.body.markup import line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER, Headers, Items, Map, Url

_DROPPED = str.maketrans("", "", ".[]")


class Settings(HttpSettings):
    """Keys below `loki`."""

    needs = ("hostport",)
    shared = ("customfields", "templatedfields")
    hostport: Url
    endpoint: str = "/loki/api/v1/push"
    user: str = ""
    apikey: SecretStr = SecretStr("")
    tenant: str = ""
    format: Annotated[Literal["text", "json"], LOWER] = "text"
    extralabels: Items = []
    customheaders: Headers = {}
    customfields: Map = {}
    templatedfields: Map = {}


def request(alert: Alert, settings: Settings) -> Request:
    """One line."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many lines, a stream for each set of labels."""
    streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
    for alert in sorted(alerts, key=lambda alert: alert.ts):
        stream = tuple(_labels(alert, settings).items())
        streams.setdefault(stream, []).append([str(alert.ts), _line(alert, settings)])
    body = {"streams": [{"stream": dict(stream), "values": values} for stream, values in streams.items()]}
    head = {"X-Scope-OrgID": settings.tenant} if settings.tenant else {}
    head |= basic(settings.user, settings.apikey) | settings.customheaders
    return [post(join(settings.hostport, settings.endpoint), body, head)]


def _line(alert: Alert, settings: Settings) -> str:
    return event.event_json(alert).decode() if settings.format == "json" else line(event.output(alert))


def _labels(alert: Alert, settings: Settings) -> dict[str, str]:
    found = event.texts(alert)
    own = {
        "rule": alert.rule,
        "source": event.source(alert),
        "priority": event.priority(alert),
        "k8s_ns_name": found.get("k8s.ns.name", ""),
        "k8s_pod_name": found.get("k8s.pod.name", ""),
        "hostname": alert.hostname,
        "tags": ",".join(event.tags(alert)),
    }
    wanted = [*settings.customfields, *settings.templatedfields, *settings.extralabels]
    more = {name.translate(_DROPPED): found[name].replace('"', "") for name in wanted if name in found}
    return labels({name: line(value) for name, value in (more | own).items()})


OUTPUT = Output(
    "loki",
    "Loki: the alert as a line of a stream",
    Settings,
    request,
    requests=requests,
    batch=500,
    largest=250_000,
)
