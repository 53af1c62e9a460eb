"""What a rule can ask: every field and event type, as values.

The compiled core states them once; `load` reads them from there. Log sources add their own fields, each with a
`Ground` that is made when a rule first names the source. The language is handed a `Catalog` and looks names up in it.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# Fields whose integers are narrower than 64 bits. Two fields compare only when their exact types agree.
NARROW = {
    "evt.type.is": "uint32",
    "evt.cpu": "int16",
    "evt.count": "uint32",
    "evt.count.error": "uint32",
    "evt.count.error.file": "uint32",
    "evt.count.error.net": "uint32",
    "evt.count.error.memory": "uint32",
    "evt.count.error.other": "uint32",
    "evt.count.exit": "uint32",
    "evt.count.procinfo": "uint32",
    "evt.count.threadinfo": "uint32",
    "proc.tty": "uint32",
    "user.uid": "uint32",
    "group.gid": "uint32",
    "fd.dev": "int32",
    "fd.dev.major": "int32",
    "fd.dev.minor": "int32",
}

# Value class of each parameter type of the event table; any other type can only be tested for presence.
PARAM_CLASS = {
    **dict.fromkeys(("int8", "int16", "int32", "int64", "errno", "fd", "fd32", "pid", "pid32"), "int"),
    **dict.fromkeys(("uint8", "uint16", "uint32", "uint64", "syscallid", "sigtype", "mode"), "uint"),
    **dict.fromkeys(("flags8", "flags16", "flags32", "enumflags8", "enumflags16", "enumflags32"), "uint"),
    **dict.fromkeys(("charbuf", "fspath", "fsrelpath"), "text"),
    **dict.fromkeys(("ipv4addr", "ipv6addr", "ipaddr"), "ip"),
    **dict.fromkeys(("ipv4net", "ipv6net", "ipnet"), "net"),
    "bytebuf": "bytes",
    "reltime": "reltime",
    "abstime": "abstime",
    "port": "port",
    "bool": "bool",
    "double": "double",
}

# Asynchronous events are named by their payload, so these names are in no table.
ASYNC_NAMES = ("container", "container_removed")

GENERIC_IDS = (0, 1)

LONGEST = 256  # characters of a name with its argument; no field is longer

Version = tuple[int, int, int]

# Source of the events of the kernel.
KERNEL = "syscall"

_EXACT = {"int": "int64", "uint": "uint64"}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a rule can ask."""

    name: str
    type: str = "text"
    list: bool = False
    arg: str = "none"  # none, index, key, name, index_or_key
    required: bool = False
    flags: frozenset[str] = frozenset()
    about: str = ""
    source: str = "syscall"
    available: bool = True
    why: str | None = None
    cls: str = ""
    exact: str = ""
    constant: str | None = None  # its value, when it is the same for every event

    @property
    def deprecated(self) -> bool:
        """Whether the field is kept only for old rules."""
        return "deprecated" in self.flags


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the event table."""

    id: int
    name: str
    category: str = ""
    flags: frozenset[str] = frozenset()
    params: tuple[tuple[str, str], ...] = ()
    status: str = "current"


@dataclass(frozen=True, slots=True)
class Found:
    """A field with the part of its name that is an argument: `evt.arg.flags` is `evt.arg` with `flags`."""

    field: Field
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules of a log source stand on: its fields, and its declaration in the form that the core reads."""

    fields: tuple[Field, ...]
    declaration: Mapping[str, Any]


@dataclass(slots=True)
class Catalog:
    """Fields and events by name, and the log sources that rules can name."""

    fields: dict[str, Field]
    events: tuple[EventType, ...]
    syscalls: frozenset[str] = frozenset()
    params: dict[str, str] = field(default_factory=dict)
    ids: dict[str, frozenset[int]] = field(default_factory=dict)
    sources: Mapping[str, Callable[[], Ground]] = field(default_factory=dict)
    plugin: Callable[[str], Version | None] = field(default=lambda _name: None)
    _found: dict[str, Found | None] = field(default_factory=dict)

    @classmethod
    def of(cls, fields: list[Field], events: list[EventType], syscalls: list[str]) -> Catalog:
        """Build the indexes."""
        catalog = cls(
            {f.name: f for f in fields}, tuple(sorted(events, key=lambda e: e.id)), frozenset(syscalls)
        )
        ids: dict[str, set[int]] = {}
        for event in catalog.events:
            ids.setdefault(event.name, set()).add(event.id)
            for name, kind in event.params:
                catalog.params.setdefault(name, kind)
        asynchronous = frozenset(ids.get("asyncevent", ()))
        catalog.ids = {name: frozenset(found) for name, found in ids.items()}
        for name in syscalls:
            catalog.ids.setdefault(name, frozenset(GENERIC_IDS))
        for name in ASYNC_NAMES:
            catalog.ids[name] = catalog.ids.get(name, frozenset()) | asynchronous
        return catalog

    @classmethod
    def from_json(cls, text: bytes | str) -> Catalog:
        """Read what the core states."""
        data = json.loads(text)
        fields = [_field(item) for item in data["fields"]]
        events = [_event(item) for item in data.get("events", ())]
        syscalls = [item[0] if isinstance(item, list) else item for item in data.get("syscalls", ())]
        return cls.of(fields, events, syscalls)

    def with_fields(self, more: list[Field]) -> Catalog:
        """Return a catalogue that knows further fields (static fields of the configuration, log sources)."""
        return replace(self, fields={**self.fields, **{f.name: f for f in more}}, _found={})

    def with_sources(
        self, more: Mapping[str, Callable[[], Ground]], plugin: Callable[[str], Version | None]
    ) -> Catalog:
        """Return a catalogue that knows further log sources, and versions of the plugins they stand for."""
        return replace(self, sources={**self.sources, **more}, plugin=plugin, _found={})

    def of_source(self, source: str) -> Catalog | None:
        """Return what the rules of a source can ask; None when there is no such source."""
        if source == KERNEL:
            return self
        ground = self.sources.get(source)
        if ground is None:
            return None
        shared = {name: field for name, field in self.fields.items() if field.source == "any"}
        return replace(self, fields={**shared, **{f.name: f for f in ground().fields}}, _found={})

    def find(self, name: str) -> Found | None:
        """Look up a whole dotted name; None when no field has it."""
        try:
            return self._found[name]
        except KeyError:
            found = self._find(name)
            self._found[name] = found
            return found

    def longest(self, text: str) -> tuple[Found, int] | None:
        """Find the longest prefix of `text` that is a field, with its length."""
        for end in range(min(len(text), LONGEST), 0, -1):
            if end < len(text) and text[end - 1] == ".":
                continue
            found = self.find(text[:end])
            if found is not None:
                return found, end
        return None

    def longest_param(self, text: str) -> str | None:
        """Find the longest event parameter name that `text` starts with."""
        for end in range(min(len(text), LONGEST), 0, -1):
            if text[:end] in self.params:
                return text[:end]
        return None

    def closest(self, name: str, but: str = "") -> str | None:
        """Find the known field name most like `name`, other than `but`."""
        if name.startswith(("evt.arg.", "evt.rawarg.")):
            head, _, tail = name.rpartition(".")
            near = difflib.get_close_matches(tail, self.params, 1, 0.6)
            return f"{head}.{near[0]}" if near else None
        near = difflib.get_close_matches(name[:LONGEST], self.fields, 2, 0.6)
        return next((one for one in near if one != but), None)

    def closest_event(self, name: str) -> str | None:
        """Find the known event name most like `name`."""
        near = difflib.get_close_matches(name, self.ids, 1, 0.6)
        return near[0] if near else None

    def is_event(self, name: str) -> bool:
        """Whether some event can have this name."""
        return name in self.ids

    def suggested(self) -> list[Field]:
        """Fields marked as worth adding to every output."""
        return [f for f in self.fields.values() if "suggested_output" in f.flags]

    def _find(self, name: str) -> Found | None:
        known = self.fields.get(name)
        if known is not None:
            return Found(known)
        for head, accept in _DOTTED:
            if name.startswith(head + "."):
                key = name[len(head) + 1 :]
                owner = self.fields.get(head)
                if owner is not None and accept(self, key):
                    return Found(owner, key)
        return None


def statics(values: Mapping[str, str]) -> list[Field]:
    """Fields `static.KEY` of the configuration: constants that rules of every source can ask."""
    return [
        Field(
            f"static.{key}",
            flags=frozenset({"suggested_output"}),
            about="Constant of the configuration.",
            source="any",
            exact="text",
            constant=value,
        )
        for key, value in values.items()
    ]


def _is_param(catalog: Catalog, key: str) -> bool:
    return key in catalog.params


def _is_event_or_code(catalog: Catalog, key: str) -> bool:
    return key.isdecimal() or catalog.is_event(key)


def _is_path_end(_: Catalog, key: str) -> bool:
    return key in ("src", "dst")


def _is_any(_: Catalog, key: str) -> bool:
    return bool(key)


_DOTTED = (
    ("evt.arg", _is_param),
    ("evt.rawarg", _is_param),
    ("evt.type.is", _is_event_or_code),
    ("evt.abspath", _is_path_end),
    ("thread.cgroup", _is_any),
)


def _field(item: dict[str, Any]) -> Field:
    arg = item.get("arg") or {}
    kind = item["type"]
    return Field(
        name=item["name"],
        type=kind,
        list=bool(item.get("list")),
        arg=arg.get("kind", "none"),
        required=bool(arg.get("required")),
        flags=frozenset(flag.lower().replace("-", "_") for flag in item.get("flags", ())),
        about=item.get("about", ""),
        source=item.get("source", "syscall"),
        available=item.get("available", True),
        why=item.get("why"),
        cls=item.get("class", ""),
        exact=NARROW.get(item["name"], _EXACT.get(kind, kind)),
    )


def _event(item: dict[str, Any]) -> EventType:
    flags = item.get("flags", ())
    return EventType(
        id=item["id"],
        name=item["name"],
        category=str(item.get("category", "")),
        flags=frozenset(flags) if isinstance(flags, (list, tuple)) else frozenset(),
        params=tuple(_param(param) for param in item.get("params", ())),
        status=item.get("status", "current"),
    )


def _param(param: Any) -> tuple[str, str]:
    if isinstance(param, dict):
        return param["name"], param["type"]
    return param[0], param[1]


@functools.cache
def load() -> Catalog:
    """Read the catalogue of the compiled core, once."""
    from eyas import _core

    return Catalog.from_json(_core.catalog())
