"""Syslog: the alert as a message of RFC 5424, in JSON or CEF, over UDP, TCP or TLS."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.delivery.http import context
from eyas.outputs.body import event
from eyas.outputs.body.cef import cef
from eyas.outputs.body.markup import header
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import LOWER
from eyas.outputs.wire.sockets import Datagrams, Stream

SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
FACILITIES = {"kern": 0, "user": 1, "daemon": 3, "auth": 4, "syslog": 5, "authpriv": 10} | {
    f"local{n}": 16 + n for n in range(8)
}
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}


def _facility(value: str) -> str:
    if value.lower() not in FACILITIES:
        raise ValueError(f"expected one of {', '.join(FACILITIES)}, found '{value}'")
    return value.lower()


class SyslogSettings(Settings):
    """Keys below `syslog`."""

    needs = ("host",)
    host: str
    port: int = 0
    protocol: Annotated[Literal["tcp", "udp", "tls"], LOWER] = "udp"
    format: Annotated[Literal["json", "cef"], LOWER] = "json"
    facility: Annotated[str, AfterValidator(_facility)] = "user"
    # Over a stream: `octets` counts bytes (RFC 5425, 6587), `lines` ends with a line break.
    framing: Annotated[Literal["", "octets", "lines"], LOWER] = ""
    checkcert: bool = True
    mutualtls: bool = False


def request(alert: Alert, settings: SyslogSettings) -> Request:
    """One message, framed for its protocol."""
    protocol = settings.protocol
    text = _message(alert, settings)
    if protocol != "udp":
        octets = settings.framing == "octets" or (protocol == "tls" and not settings.framing)
        text = f"{len(text)} ".encode() + text if octets else text + b"\n"
    return Request("SYSLOG", f"{protocol}://{settings.host}:{_port(settings)}", {}, text)


def _message(alert: Alert, settings: SyslogSettings) -> bytes:
    priority = alert.priority.lower()
    severity = SEVERITIES.index(priority) if priority in SEVERITIES else 0
    number = FACILITIES[settings.facility] * 8 + severity
    host = header(alert.hostname).replace(" ", "_")[:255] or "-"
    text = cef(alert) if settings.format == "cef" else event.event_json(alert).decode()
    return f"<{number}>1 {_time(alert)} {host} Falco - - - {text}".encode()


def _time(alert: Alert) -> str:
    """RFC 5424 takes six digits of a second."""
    return event.timestamp(alert)[:26] + "Z"


def _port(settings: SyslogSettings) -> int:
    return settings.port or PORTS[settings.protocol]


def open_link(settings: SyslogSettings) -> Sender:
    """Datagrams or a stream."""
    protocol = settings.protocol
    if protocol == "udp":
        return Datagrams(settings.host, _port(settings))
    return Stream(settings.host, _port(settings), context(settings.trust) if protocol == "tls" else None)


OUTPUT = Output(
    "syslog",
    "Syslog: a message in JSON or CEF",
    SyslogSettings,
    request,
    open=open_link,
    batch=100,
    largest=64_000,
)
