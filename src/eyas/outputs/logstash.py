"""Logstash: the alert as a line of JSON over TCP or TLS."""

import re

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.delivery.http import context
from eyas.outputs.body import event
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import Items
from eyas.outputs.wire.sockets import Stream

_INDEX = re.compile(r"\[(\d+)\]")


class LogstashSettings(Settings):
    """Keys below `logstash`."""

    needs = ("address",)
    address: str
    port: int = 5044
    tags: Items = []
    tls: bool = False
    mutualtls: bool = False
    checkcert: bool = True
    certfile: str = ""
    keyfile: str = ""
    cacertfile: str = ""


def request(alert: Alert, settings: LogstashSettings) -> Request:
    """One line. Logstash reads brackets in names as paths, so `proc.aname[2]` is `proc.aname.2`."""
    body = event.event(alert)
    body["output_fields"] = {_INDEX.sub(r".\1", name): value for name, value in body["output_fields"].items()}
    body["tags"] = [*body["tags"], *settings.tags]
    scheme = "tls" if _tls(settings) else "tcp"
    return Request("SEND", f"{scheme}://{settings.address}:{settings.port}", {}, event.encode(body) + b"\n")


def _tls(settings: LogstashSettings) -> bool:
    return settings.tls or settings.mutualtls


def open_link(settings: LogstashSettings) -> Sender:
    """One connection."""
    return Stream(settings.address, settings.port, context(settings.trust) if _tls(settings) else None)


OUTPUT = Output("logstash", "Logstash: a line of JSON", LogstashSettings, request, open=open_link, batch=100)
