"""Wavefront: a point of a metric for each alert, direct over HTTPS or through a proxy."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event
from eyas.outputs.body.http import address, join, reveal, send
from eyas.outputs.body.labels import label
from eyas.outputs.body.markup import cut, line
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import LOWER
from eyas.outputs.wire.sockets import Stream

# Characters of a name and its value together, https://docs.wavefront.com/wavefront_data_format.html
ROOM = 254


class Settings(HttpSettings):
    """Keys below `wavefront`."""

    needs = ("endpointhost",)
    endpointtype: Annotated[Literal["direct", "proxy"], LOWER] = "direct"
    endpointhost: str
    endpointtoken: SecretStr = SecretStr("")
    endpointmetricport: int = 2878
    metricname: str = "falco.alert"
    batchsize: int = 10000
    flushintervalseconds: int = 1


def request(alert: Alert, settings: Settings) -> Request:
    """One point."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: Settings) -> list[Request]:
    """Many points, a line each."""
    body = "".join(_point(alert, settings) for alert in alerts).encode()
    if settings.endpointtype == "proxy":
        return [Request("SEND", f"tcp://{settings.endpointhost}:{settings.endpointmetricport}", {}, body)]
    head = {"Authorization": f"Bearer {reveal(settings.endpointtoken)}"}
    url = join(address(settings.endpointhost), "report?f=wavefront")
    return [send("POST", url, body, head, "text/plain; charset=utf-8")]


def _point(alert: Alert, settings: Settings) -> str:
    tags = {"severity": event.priority(alert), "rule": alert.rule, "source": event.source(alert)}
    tags |= {"hostname": alert.hostname, "tags": ", ".join(event.tags(alert))}
    # `source` is a word of the format; there the host stands. What the alert calls so is `eventsource`.
    tags["eventsource"] = tags.pop("source")
    shown = " ".join(
        f'"{_name(k)}"={_quoted(k, v)}' for k, v in (event.texts(alert) | tags).items() if v and _name(k)
    )
    return f'"{_name(settings.metricname)}" 1 {event.seconds(alert)} source="falco-exporter" {shown}\n'


def _name(text: str) -> str:
    return ".".join(label(piece) for piece in text.split(".") if label(piece))


def _quoted(name: str, value: str) -> str:
    text = cut(line(value), max(1, ROOM - len(name))).replace("\\", "/").replace('"', '\\"')
    return f'"{text}"'


def open_link(settings: Settings) -> Sender | None:
    """A stream to the proxy."""
    return (
        Stream(settings.endpointhost, settings.endpointmetricport)
        if settings.endpointtype == "proxy"
        else None
    )


OUTPUT = Output(
    "wavefront",
    "Wavefront: a point of a metric for each alert",
    Settings,
    request,
    requests=requests,
    batch=500,
    counts=True,
    open=open_link,
)
