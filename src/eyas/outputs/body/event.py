"""The alert as the JSON object that Falco's and Falcosidekick's receivers read, and values made fit for it."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from eyas.alert import SECOND, Alert, Style, iso8601, unseen

_STYLE = Style()
_WIDE = 1 << 63


def event(alert: Alert) -> dict[str, Any]:
    """The alert with the keys of Falcosidekick's payload, and `eyas` beside them."""
    body: dict[str, Any] = {
        "uuid": identity(alert),
        "output": output(alert),
        "priority": priority(alert),
        "rule": plain(alert.rule),
        "time": timestamp(alert),
        "output_fields": fields(alert),
        "source": source(alert),
        "tags": tags(alert),
        "hostname": plain(alert.hostname),
    }
    if ours := {key: value for key, value in alert.own.items() if key != "output"}:
        body["eyas"] = plain(ours)
    return body


def event_json(alert: Alert) -> bytes:
    """The same as bytes."""
    return encode(event(alert))


def encode(value: Any) -> bytes:
    """JSON of plain values; keys keep their order, and what a terminal or page obeys unseen is escaped."""
    written = orjson.dumps(value)
    if written.isascii() and b"\x7f" not in written:
        return written
    return unseen(written.decode()).encode()


def identity(alert: Alert) -> str:
    """A UUID that is the same whenever the same alert is sent again, so that a receiver can drop repeats."""
    key = alert.eyas.get("id") or f"{alert.rule}\0{alert.hostname}\0{alert.ts}\0{alert.message}"
    digest = hashlib.blake2b(str(key).encode("utf-8", "replace"), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def thread(alert: Alert) -> str:
    """The same for all alerts of one group, so that a receiver opens one case for them; else that of the alert."""
    group = alert.eyas.get("group")
    own = group.get("id") if isinstance(group, Mapping) else group
    return str(own or identity(alert))


def output(alert: Alert) -> str:
    """Time, priority and message, as Falco writes them, or as `outputfieldformat` wants them."""
    text = alert.eyas.get("output")
    return str(plain(text if isinstance(text, str) else alert.output(_STYLE)))


def priority(alert: Alert) -> str:
    """The priority with a capital, `Critical`, as Falco writes it."""
    return str(plain(alert.priority)).capitalize()


def timestamp(alert: Alert) -> str:
    """RFC 3339 with nanoseconds."""
    return iso8601(alert.ts, "Z")


def moment(alert: Alert) -> str:
    """The time for people: `2023-11-14 22:13:20.123456789 +0000 UTC`."""
    return iso8601(alert.ts, " +0000 UTC").replace("T", " ", 1)


def seconds(alert: Alert) -> int:
    """Whole seconds since 1970."""
    return alert.ts // SECOND


def source(alert: Alert) -> str:
    """Where the event came from; `syscalls` when nothing is said."""
    return str(plain(alert.source)) or "syscalls"


def tags(alert: Alert) -> list[str]:
    """Tags in alphabetical order."""
    return sorted(str(plain(tag)) for tag in alert.tags)


def fields(alert: Alert) -> dict[str, Any]:
    """Fields of the alert with its time, as values JSON can hold."""
    found = {str(plain(key)): plain(value) for key, value in alert.fields.items()}
    return found | {alert.time_field(_STYLE): alert.ts}


def texts(alert: Alert) -> dict[str, str]:
    """Fields as text, in alphabetical order, without those that have no value."""
    return {key: text(value) for key, value in sorted(fields(alert).items()) if value is not None}


def text(value: Any) -> str:
    """One value as text: numbers as written, booleans as in JSON, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    return encode(plain(value)).decode()


def plain(value: Any) -> Any:
    """A value that every JSON reader takes: no NaN, no broken Unicode, no number beyond 64 bits."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_WIDE <= value < _WIDE * 2 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return plain(str(value))
