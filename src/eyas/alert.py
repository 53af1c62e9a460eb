"""A match with its rule as an alert: one line of text, one line of JSON."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SECOND = 1_000_000_000

_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")

# What JSON may hold raw although a terminal obeys it: DEL, C1 controls, marks and overrides of direction, separators
# of lines and paragraphs.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LONE = re.compile("[\ud800-\udfff]")  # half of a pair, which UTF-8 cannot write


@dataclass(frozen=True, slots=True)
class Style:
    """How alerts are written; the names are those of the configuration."""

    json_output: bool = False
    time_format_iso_8601: bool = False
    json_include_output_property: bool = True
    json_include_message_property: bool = False
    json_include_output_fields_property: bool = True
    json_include_tags_property: bool = True


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule that held on one event."""

    rule: str
    priority: str
    source: str
    tags: tuple[str, ...]
    ts: int
    message: str
    fields: Mapping[str, Any]
    hostname: str
    eyas: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own(self) -> dict[str, Any]:
        """What is said beside Falco's keys; facts that only the store keeps, command lines among them, are left out."""
        return {key: value for key, value in self.eyas.items() if key != "carried"}

    def time_field(self, style: Style) -> str:
        """Key of the time among the output fields."""
        return "evt.time.iso8601" if style.time_format_iso_8601 else "evt.time"

    def output(self, style: Style) -> str:
        """Time, priority and message."""
        when = iso8601(self.ts, "+0000") if style.time_format_iso_8601 else clock(self.ts)
        return f"{when}: {self.priority} {self.message}"

    def line(self, style: Style) -> str:
        """The alert as one line, as the style says."""
        return self.json(style) if style.json_output else escaped(self.output(style))

    def json(self, style: Style) -> str:
        """The alert as one JSON object; keys in alphabetical order."""
        body: dict[str, Any] = {
            "eyas": self.own,
            "hostname": self.hostname,
            "priority": self.priority,
            "rule": self.rule,
            "source": self.source,
            "time": iso8601(self.ts, "Z"),
        }
        if style.json_include_output_property:
            body["output"] = self.output(style)
        if style.json_include_message_property:
            body["message"] = self.message
        if style.json_include_tags_property:
            body["tags"] = list(self.tags)
        if style.json_include_output_fields_property:
            body["output_fields"] = {**self.fields, self.time_field(style): self.ts}
        return unseen(json.dumps(body, sort_keys=True, ensure_ascii=False))


def hostname() -> str:
    """Name of this machine, or what `FALCO_HOSTNAME` says."""
    return os.environ.get("FALCO_HOSTNAME") or socket.gethostname()


def techniques(tags: Sequence[str]) -> list[str]:
    """ATT&CK techniques among tags, such as `T1059.004`."""
    return [tag for tag in tags if _TECHNIQUE.fullmatch(tag)]


def identity(rule: str, num: int, ts: int) -> str:
    """Id of an alert: the same rule on the same event gives the same id."""
    key = f"{rule}\0{num}\0{ts}".encode()
    return hashlib.blake2b(key, digest_size=12).hexdigest()


def iso8601(ts: int, zone: str) -> str:
    """UTC with nanoseconds, `2018-08-10T23:30:53.000947521Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ts // SECOND)) + f".{ts % SECOND:09}{zone}"


def clock(ts: int) -> str:
    """Local wall clock with nanoseconds."""
    return time.strftime("%H:%M:%S", time.localtime(ts // SECOND)) + f".{ts % SECOND:09}"


def escaped(text: str) -> str:
    """Text in which nothing moves a terminal's cursor: control characters and quotes as in JSON."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return unseen(json.dumps(text, ensure_ascii=False)[1:-1])


def unseen(written: str) -> str:
    """JSON text whose unseen characters are escaped too; what it means stays the same."""
    if written.isprintable():
        return written
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", _LONE.sub("\ufffd", written))
