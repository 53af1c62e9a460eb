"""Spyderbat: the alert as a record of a source that is made for it."""

import gzip
from typing import Any

from pydantic import SecretStr

from eyas.alert import SECOND, Alert
from eyas.delivery import Request
from eyas.outputs.body import event
from eyas.outputs.body.http import join, part, post, reveal, send
from eyas.outputs.card import HttpSettings, Output
from eyas.outputs.values import Url

LEVELS = {
    "emergency": "critical",
    "alert": "high",
    "critical": "critical",
    "error": "high",
    "warning": "medium",
    "notice": "low",
    "informational": "info",
    "debug": "info",
}


class Settings(HttpSettings):
    """Keys below `spyderbat`."""

    needs = ("orguid", "apikey")
    orguid: str
    apikey: SecretStr
    apiurl: Url = "https://api.spyderbat.com"
    source: str = "falcosidekick"
    sourcedescription: str = ""


def prepare(settings: Settings) -> list[Request]:
    """The source; that it exists already is answered with 400."""
    body = {"name": settings.source, "description": settings.sourcedescription, "uid": _uid(settings)}
    return [post(_sources(settings) + "/", body, _head(settings))]


def request(alert: Alert, settings: Settings) -> Request:
    """One record, as a compressed line of JSON."""
    body = gzip.compress(event.encode(_record(alert)) + b"\n", mtime=0)
    head = _head(settings) | {"Content-Encoding": "gzip"}
    url = join(_sources(settings), part(_uid(settings)), "data/sb-agent")
    return send("POST", url, body, head, "application/ndjson")


def _record(alert: Alert) -> dict[str, Any]:
    found = event.texts(alert)
    pid = found.get("proc.pid", "")
    return {
        "schema": "falco_alert::1.0.0",
        "id": event.identity(alert),
        "monotonic_time": alert.ts % SECOND,
        "orc_time": alert.ts / SECOND,
        "time": alert.ts / SECOND,
        "pid": int(pid) if pid.isdecimal() and len(pid) < 10 else 0,
        "level": LEVELS.get(alert.priority.lower(), "critical"),
        "msg": event.output(alert).split(" ")[2:],
        "args": found.get("proc.cmdline", ""),
        "container": found.get("container.id", ""),
    }


def _sources(settings: Settings) -> str:
    return join(settings.apiurl, "api/v1/org", part(settings.orguid), "source")


def _uid(settings: Settings) -> str:
    return f"falcosidekick_{settings.orguid}"


def _head(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {reveal(settings.apikey)}"}


OUTPUT = Output("spyderbat", "Spyderbat: a record of a source", Settings, request, prepare=prepare)
