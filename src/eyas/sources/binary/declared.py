"""What a plugin says about itself, checked: its name, its sources and its fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from eyas.sources.card import Type

TYPES: dict[str, Type] = {
    "uint64": "uint",
    "string": "text",
    "reltime": "reltime",
    "abstime": "abstime",
    "bool": "bool",
    "ipaddr": "ip",
    "ipnet": "net",
}
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*", re.ASCII)
_LISTS = ("extracts_from", "parses_from", "async_from", "async_events")
_CALLS = {
    "extracts_from": "get_extract_event_sources",
    "parses_from": "get_parse_event_sources",
    "async_from": "get_async_event_sources",
    "async_events": "get_async_events",
}
RESERVED = frozenset(("internal", "plugins", "syscall"))


def faults(facts: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with it."""
    if not facts["name"]:
        yield "it has no name"
    if facts["source"] in RESERVED:
        yield f"get_event_source: '{facts['source']}' is reserved"
    if facts["source"] and not facts["id"]:
        yield f"get_id: the source '{facts['source']}' has no number"
    for key in _LISTS:
        if not _texts(facts[key]):
            yield f"{_CALLS[key]}: expected a list of texts, found {facts[key]!r:.40}"
    fields = facts["fields"]
    if not isinstance(fields, list):
        yield "get_fields: expected a list of fields"
        return
    for number, field in enumerate(fields, 1):
        yield from (f"get_fields: {fault}" for fault in _field(number, field))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _field(number: int, field: Any) -> Iterator[str]:
    if not isinstance(field, dict):
        yield f"field {number}: expected an object, found {field!r:.40}"
        return
    name, kind, arg = field.get("name"), field.get("type"), field.get("arg")
    if not isinstance(name, str) or not name:
        yield f"field {number} has no name"
    elif not _NAME.fullmatch(name):
        yield f"'{name:.80}' is no name of a field"
    if kind not in (*TYPES,):
        yield f"field {name} has the unknown type '{kind}'"
    if arg is not None and not isinstance(arg, dict):
        yield f"field {name}: expected an object in 'arg', found {arg!r:.40}"
