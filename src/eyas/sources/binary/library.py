"""One plugin as it runs in its own process: loaded, started, asked for events and fields."""

from __future__ import annotations

import ctypes
import ipaddress
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from ctypes import POINTER, byref, c_char_p, c_int32, c_uint32, c_uint64, c_void_p
from typing import Any

from eyas.sources.binary import abi
from eyas.sources.binary.registry import Registry

# (number of the field, argument or None, as an index or a key)
Asked = tuple[int, str | int | None]


class PluginError(Exception):
    """A plugin cannot be used, or failed."""


class Library:
    """A shared object with the interface of a plugin; those of one process share its tables."""

    def __init__(self, path: str, registry: Registry | None = None) -> None:
        self._registry = registry or Registry()
        try:
            self._library = ctypes.CDLL(path)
        except OSError as error:
            raise PluginError(str(error)) from None
        self._calls = {name: call for name in abi.FUNCTIONS if (call := self._call(name)) is not None}
        missing = [name for name in abi.COMMON if name not in self._calls]
        if missing:
            raise PluginError(f"{path} is no plugin: it lacks plugin_{missing[0]}")
        self._state: int | None = None
        self._instance: int | None = None
        self._expect_version()
        self.sourcing = self._has(abi.SOURCING) and bool(self._text("get_event_source"))
        self.extraction = self._has(abi.EXTRACTION)
        self.parsing = self._has(abi.PARSING)
        self.beside = self._has(abi.ASYNC)
        self.fields: list[dict[str, Any]] = self._json("get_fields") if self.extraction else []

    def _call(self, name: str) -> Callable[..., Any] | None:
        try:
            found = self._library[f"plugin_{name}"]
        except AttributeError:
            return None
        found.restype, found.argtypes = abi.FUNCTIONS[name]
        return found

    def _has(self, names: Sequence[str]) -> bool:
        return all(name in self._calls for name in names)

    def _text(self, name: str) -> str:
        found = self._calls[name]() if name in self._calls else None
        return (found or b"").decode(errors="replace")

    def _json(self, name: str) -> Any:
        text = self._text(name)
        try:
            return json.loads(text) if text else []
        except (ValueError, RecursionError) as error:
            raise PluginError(f"plugin_{name} gives no JSON: {error}") from None

    def _expect_version(self) -> None:
        text = self._text("get_required_api_version")
        try:
            major, minor, patch = (int(part) for part in text.split("."))
        except ValueError:
            raise PluginError(f"'{text}' is no version of the plugin interface") from None
        own = abi.VERSION
        if major != own[0] or (minor, patch) > own[1:]:
            raise PluginError(f"needs plugin interface {text}, here is {'.'.join(map(str, own))}")

    def describe(self) -> dict[str, Any]:
        """What the plugin says about itself."""
        return {
            "name": self._text("get_name"),
            "version": self._text("get_version"),
            "about": self._text("get_description"),
            "id": self._calls["get_id"]() if "get_id" in self._calls else 0,
            "source": self._text("get_event_source") if self.sourcing else "",
            "fields": self.fields,
            "schema": self._schema(),
            "extracts_from": self._json("get_extract_event_sources") if self.extraction else [],
            "parses_from": self._json("get_parse_event_sources") if self.parsing else [],
            "capabilities": [
                name
                for name, on in (
                    ("sourcing", self.sourcing),
                    ("extraction", self.extraction),
                    ("parsing", self.parsing),
                    ("async", self.beside),
                )
                if on
            ],
        }

    def _schema(self) -> Any:
        """The schema of its configuration, when it gives one as JSON."""
        kind = c_int32(0)
        if "get_init_schema" not in self._calls:
            return None
        text = self._calls["get_init_schema"](byref(kind))
        try:
            return json.loads(text) if text and kind.value == abi.JSON_SCHEMA else None
        except (ValueError, RecursionError):
            raise PluginError("plugin_get_init_schema gives no JSON") from None

    def error(self) -> str:
        """What the plugin says went wrong last."""
        found = self._calls["get_last_error"](self._state)
        return (found or b"no reason given")[: abi.MAX_ERROR].decode(errors="replace")

    # Life.

    def start(self, config: str) -> None:
        """Initialise the plugin."""
        self._log = abi.Log(self._logged)
        tables = ctypes.pointer(self._registry.tables) if self.extraction or self.parsing else None
        self._config = config.encode()
        given = abi.InitInput(self._config, None, self._registry.owner_error, tables, self._log)
        code = c_int32(abi.FAILURE)
        self._state = self._calls["init"](byref(given), byref(code))
        if code.value != abi.SUCCESS:
            raise PluginError(f"cannot start: {self.error()}")
        self._extract_types = self._types("get_extract_event_types")
        self._parse_types = self._types("get_parse_event_types")

    def _types(self, name: str) -> frozenset[int]:
        if name not in self._calls:
            return frozenset((abi.PLUGIN_EVENT,))
        count = c_uint32(0)
        found = self._calls[name](byref(count), self._state)
        return frozenset(found[: count.value]) if found and count.value else frozenset((abi.PLUGIN_EVENT,))

    def _logged(self, component: bytes | None, message: bytes | None, _severity: int) -> None:
        name = (component or self._text("get_name").encode()).decode(errors="replace")
        print(f"{name}: {(message or b'').decode(errors='replace').rstrip()}", file=sys.stderr, flush=True)

    def open(self, parameters: str) -> None:
        """Open the event source."""
        code = c_int32(abi.FAILURE)
        self._instance = self._calls["open"](self._state, parameters.encode(), byref(code))
        if code.value != abi.SUCCESS:
            raise PluginError(f"cannot open '{parameters}': {self.error()}")

    def listen(self, heard: Callable[[bytes], None]) -> None:
        """Take events that the plugin sends from its own threads."""

        def handle(_owner: int | None, event: int | None, _error: int | None) -> int:
            if not event:
                return abi.FAILURE
            heard(_bytes(event))
            return abi.SUCCESS

        self._handler = abi.AsyncHandler(handle)
        if self._calls["set_async_event_handler"](self._state, None, self._handler) != abi.SUCCESS:
            raise PluginError(f"cannot take its asynchronous events: {self.error()}")

    def close(self) -> None:
        """Close the source and end the plugin."""
        if self.beside and self._state:
            self._calls["set_async_event_handler"](self._state, None, abi.AsyncHandler())
        if self._instance:
            self._calls["close"](self._state, self._instance)
        if self._state:
            self._calls["destroy"](self._state)
        self._state = self._instance = None

    # Events.

    def next(self) -> tuple[list[bytes], bool]:
        """Give the next events, and whether the source has ended."""
        count, events = c_uint32(0), POINTER(c_void_p)()
        code = self._calls["next_batch"](self._state, self._instance, byref(count), byref(events))
        if code == abi.FAILURE:
            raise PluginError(self.error())
        if code not in (abi.SUCCESS, abi.EOF):
            return [], False
        return [_bytes(at) for at in events[: count.value] if at], code == abi.EOF

    def text_of(self, event: abi.EventInput) -> str | None:
        """An event in one line, in the plugin's words."""
        if "event_to_string" not in self._calls:
            return None
        found = self._calls["event_to_string"](self._state, byref(event))
        return None if found is None else found.decode(errors="replace")

    def takes(self, source: str, what: str) -> bool:
        """Whether the plugin extracts from (or parses) events of a source."""
        on = self.extraction if what == "extract" else self.parsing
        wanted = self._json(f"get_{what}_event_sources") if on else []
        if on and not wanted and self.sourcing:
            wanted = [self._text("get_event_source")]
        return on and (not wanted or source in wanted)

    def parse(self, event: abi.EventInput, kind: int) -> None:
        """Let the plugin see an event before fields are extracted."""
        if kind not in self._parse_types:
            return
        here = self._registry
        given = abi.ParseInput(
            None, here.owner_error, here.reader, here.writer, ctypes.pointer(here.reader_ext),
            ctypes.pointer(here.writer),
        )  # fmt: skip
        self._calls["parse_event"](self._state, byref(event), byref(given))

    def requests(self, asked: Sequence[Asked]) -> ctypes.Array[abi.ExtractField]:
        """Fields to extract, in the form that the plugin reads."""
        made = (abi.ExtractField * len(asked))()
        for request, (number, argument) in zip(made, asked, strict=True):
            field = self.fields[number]
            request.field_id = number
            request.field = field["name"].encode()
            request.ftype = abi.TYPES[field["type"]]
            request.flist = bool(field.get("isList"))
            request.arg_present = argument is not None
            request.arg_key = argument.encode() if isinstance(argument, str) else None
            request.arg_index = argument if isinstance(argument, int) else 0
        return made

    def extract(
        self, event: abi.EventInput, kind: int, requests: ctypes.Array[abi.ExtractField]
    ) -> Iterator[Any]:
        """Give the value of each requested field, None where there is none."""
        if kind not in self._extract_types or not len(requests):
            return
        for request in requests:
            request.res, request.res_len = None, 0
        here = self._registry
        given = abi.ExtractInput(
            None,
            here.owner_error,
            len(requests),
            requests,
            here.reader,
            ctypes.pointer(here.reader_ext),
            None,
        )
        code = self._calls["extract_fields"](self._state, byref(event), byref(given))
        for request in requests:
            yield _value(request) if code == abi.SUCCESS else None


def _value(field: abi.ExtractField) -> Any:
    if not field.res or not field.res_len:
        return None
    values = _values(field)
    return list(values) if field.flist else next(values)


def _values(field: abi.ExtractField) -> Iterator[Any]:
    at, count = field.res, field.res_len
    match field.ftype:
        case abi.STRING:
            texts = ctypes.cast(at, POINTER(c_char_p))[:count]
            yield from ((text or b"").decode(errors="replace") for text in texts)
        case abi.BOOL:
            yield from map(bool, ctypes.cast(at, POINTER(c_uint32))[:count])
        case abi.IPADDR | abi.IPNET:
            for buffer in ctypes.cast(at, POINTER(abi.Buffer))[:count]:
                raw = ctypes.string_at(buffer.ptr, buffer.len)
                yield str(ipaddress.ip_address(raw)) if len(raw) in (4, 16) else ""
        case _:
            yield from ctypes.cast(at, POINTER(c_uint64))[:count]


def _bytes(at: int) -> bytes:
    length = abi.Event.from_address(at).len
    return ctypes.string_at(at, max(length, abi.HEADER))
