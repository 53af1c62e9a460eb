"""An alert as bytes on disk and back, and the columns it is found by."""

from __future__ import annotations

import calendar
import hashlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import orjson

from eyas.alert import SECOND, Alert, Style
from eyas.delivery.journal import Entry

# Severity is that of syslog (RFC 5424, 6.2.1): the least number is the gravest.
SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
_ALIASES = {"info": 6, "information": 6, "warn": 4, "err": 3, "crit": 2, "emerg": 0}

_STYLE = Style(json_output=True, json_include_message_property=True)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?\s*(Z|z|[+-]\d\d:?\d\d)?"
)
_HEAD = re.compile(r"^[0-9T:.+-]+Z?: [A-Za-z]+ ")


def severity(priority: str) -> int:
    """Number of a priority; what is unknown counts as grave, so that it is not held back."""
    low = priority.lower()
    return SEVERITIES.index(low) if low in SEVERITIES else _ALIASES.get(low, 0)


def entry_of(
    alert: Alert,
    identity: str = "",
    outputs: tuple[str, ...] = (),
    lead: str = "",
    status: str = "open",
    more: Mapping[str, Any] | None = None,
) -> Entry:
    """The alert ready for the disk; `more` is added to what it says about itself."""
    body = encode(alert, more)
    return Entry(
        id=_clean(str(alert.eyas["id"]))
        if alert.eyas.get("id")
        else hashlib.blake2b(body, digest_size=12).hexdigest(),
        ts=min(max(alert.ts, 0), 2**63 - 1),
        severity=severity(alert.priority),
        rule=_clean(alert.rule),
        source=_clean(alert.source),
        host=_clean(alert.hostname),
        container=_clean(container(alert)),
        identity=identity,
        body=body,
        outputs=outputs,
        lead=lead,
        status=status,
    )


def container(alert: Alert) -> str:
    """The container that an alert is about, whether its text says so or the match only brought it along."""
    carried = alert.eyas.get("carried")
    found = alert.fields.get("container.id") or (
        carried.get("container.id") if isinstance(carried, dict) else ""
    )
    return str(found or "")


def encode(alert: Alert, more: Mapping[str, Any] | None = None) -> bytes:
    """The alert as one JSON object, with message and all."""
    body: dict[str, Any] = {
        "eyas": {**alert.eyas, **more} if more else dict(alert.eyas),
        "hostname": alert.hostname,
        "message": alert.message,
        "output_fields": dict(alert.fields),
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "tags": list(alert.tags),
        "ts": alert.ts,
    }
    try:
        return orjson.dumps(body)
    except TypeError:  # a number beyond 64 bits, or bytes that are no text
        return json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")


def decode(body: bytes) -> Alert:
    """The alert of a stored object."""
    return alert_of(json.loads(body))


def alert_of(body: Mapping[str, Any]) -> Alert:
    """The alert of an object with the keys of Falco's alerts, or of one that was stored."""
    message = body.get("message")
    output = str(body.get("output", ""))
    fields = body.get("output_fields") or {}
    return Alert(
        rule=str(body.get("rule", "")),
        priority=str(body.get("priority", "")),
        source=str(body.get("source") or "syscall"),
        tags=tuple(str(tag) for tag in body.get("tags") or ()),
        ts=_moment(body),
        message=str(message) if message is not None else _HEAD.sub("", output, count=1),
        fields={str(key): value for key, value in fields.items()},
        hostname=str(body.get("hostname", "")),
        eyas=body.get("eyas") or {},
    )


def falco(alert: Alert) -> dict[str, Any]:
    """The alert as people and programs read it."""
    shown: dict[str, Any] = json.loads(alert.json(_STYLE))
    return shown


def _moment(body: Mapping[str, Any]) -> int:
    if isinstance(body.get("ts"), int):
        return int(body["ts"])
    return nanoseconds(str(body.get("time", "")))


def nanoseconds(text: str) -> int:
    """Nanoseconds of an RFC 3339 time; raises ValueError."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text[:40]}' is not an RFC 3339 time")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    whole = calendar.timegm((year, month, day, hour, minute, second))
    zone = match[8] or "Z"
    if zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        whole -= sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return whole * SECOND + int((match[7] or "0").ljust(9, "0"))


def _clean(text: str) -> str:
    """Text that the database takes: no broken Unicode."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def local(ts: int) -> str:
    """A moment as people read it, in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ts // SECOND))
