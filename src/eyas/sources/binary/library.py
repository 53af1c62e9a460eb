"""One plugin as it runs in its own process: loaded, started, asked for events and fields."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterator, Sequence
from ctypes import POINTER, byref, c_int32, c_uint32, c_void_p
from typing import Any

from eyas.sources.binary import abi, speech
from eyas.sources.binary.registry import Registry
from eyas.sources.binary.routines import Routines
from eyas.sources.binary.values import Asked, Requests

MOST_EVENTS = 1 << 16  # that a plugin gives at once
MOST_TYPES = 4096  # that a plugin wants to see


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
        self._routines = Routines(lambda: self._state)
        self._expect_version()
        self.name = self._text("get_name")
        self.number = int(self._calls["get_id"]()) if "get_id" in self._calls else 0
        self.sourcing = self._has(abi.SOURCING) and bool(self._text("get_event_source"))
        self.extraction = self._has(abi.EXTRACTION)
        self.parsing = self._has(abi.PARSING)
        self.beside = self._has(abi.ASYNC)
        self.captures = self._has(abi.CAPTURE)
        self.fields: list[dict[str, Any]] = self._json("get_fields") if self.extraction else []
        self.asynchronous = self._json("get_async_events") if self.beside else []

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
            raise PluginError(f"{name} gives no JSON: {error}") from None

    def _expect_version(self) -> None:
        text = self._text("get_required_api_version")
        try:
            major, minor, patch = (int(part) for part in text.split("."))
        except ValueError:
            raise PluginError(f"'{text}' is no version of the plugin interface") from None
        own = abi.VERSION
        if major != own[0] or (minor, patch) > own[1:]:
            here = ".".join(map(str, own))
            raise PluginError(f"needs version {text} of the plugin interface, here is {here}")

    def describe(self) -> dict[str, Any]:
        """What the plugin says about itself."""
        return {
            "name": self.name,
            "version": self._text("get_version"),
            "about": self._text("get_description"),
            "contact": self._text("get_contact"),
            "api": self._text("get_required_api_version"),
            "id": self.number,
            "source": self._text("get_event_source") if self.sourcing else "",
            "fields": self.fields,
            "schema": self._schema(),
            "extracts_from": self._json("get_extract_event_sources") if self.extraction else [],
            "parses_from": self._json("get_parse_event_sources") if self.parsing else [],
            "async_from": self._json("get_async_event_sources") if self.beside else [],
            "async_events": self.asynchronous,
            "capabilities": [
                name
                for name, on in (
                    ("sourcing", self.sourcing),
                    ("extraction", self.extraction),
                    ("parsing", self.parsing),
                    ("async", self.beside),
                    ("capture", self.captures),
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
            raise PluginError("get_init_schema gives no JSON") from None

    def error(self) -> str:
        """What the plugin says went wrong last."""
        found = self._calls["get_last_error"](self._state)
        return (found or b"no reason given")[: abi.MAX_ERROR].decode(errors="replace")

    # Life.

    def start(self, config: str) -> None:
        """Initialise the plugin."""
        self._log = abi.Log(lambda *said: speech.say(self.name, *said))
        tables = ctypes.pointer(self._registry.tables) if self.extraction or self.parsing else None
        self._config = config.encode()
        given = abi.InitInput(self._config, None, self._registry.owner_error, tables, self._log)
        code = c_int32(abi.FAILURE)
        self._state = self._calls["init"](byref(given), byref(code))
        if code.value != abi.SUCCESS:
            raise PluginError(f"cannot start: {self.error()}")
        self._extract_types = self._types("extract")
        self._parse_types = self._types("parse")

    def _types(self, what: str) -> frozenset[int]:
        """Types of events that it wants to see; empty for all, which are meant where it takes events of the kernel."""
        count = c_uint32(0)
        call = self._calls.get(f"get_{what}_event_types")
        found = call(byref(count), self._state) if call else None
        if found and count.value:
            return frozenset(found[: min(count.value, MOST_TYPES)])
        return frozenset() if self.takes("syscall", what) else frozenset((abi.PLUGIN_EVENT,))

    def configure(self, config: str) -> bool:
        """Give it another configuration while it runs; false when it cannot take one."""
        if "set_config" not in self._calls:
            return False
        self._config = config.encode()
        if self._calls["set_config"](self._state, byref(abi.SetConfig(self._config))) != abi.SUCCESS:
            raise PluginError(f"does not take the new configuration: {self.error()}")
        return True

    def metrics(self) -> list[dict[str, Any]]:
        """Figures that it keeps of itself."""
        if "get_metrics" not in self._calls or not self._state:
            return []
        count = c_uint32(0)
        found = self._calls["get_metrics"](self._state, byref(count))
        return [_metric(one) for one in found[: min(count.value, MOST_TYPES)]] if found else []

    def places(self) -> list[dict[str, Any]]:
        """What it says that its source can be opened with."""
        code = c_int32(abi.FAILURE)
        if "list_open_params" not in self._calls:
            return []
        text = self._calls["list_open_params"](self._state, byref(code))
        if code.value != abi.SUCCESS:
            raise PluginError(f"list_open_params fails: {self.error()}")
        try:
            found = json.loads(text) if text else []
        except (ValueError, RecursionError) as error:
            raise PluginError(f"list_open_params gives no JSON: {error}") from None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def progress(self) -> str:
        """How far it is with what it was opened for, in its words; empty when it does not say."""
        if "get_progress" not in self._calls or not self._instance:
            return ""
        share = c_uint32(0)
        text = self._calls["get_progress"](self._state, self._instance, byref(share))
        return f"{share.value / 100:.2f} %" if not text else text.decode(errors="replace")[:200]

    def open(self, parameters: str) -> None:
        """Open the event source."""
        code = c_int32(abi.FAILURE)
        self._instance = self._calls["open"](self._state, parameters.encode(), byref(code))
        if code.value != abi.SUCCESS:
            raise PluginError(f"cannot open '{parameters}': {self.error()}")

    def listen(self, heard: Callable[[int], str | None]) -> None:
        """Take events that the plugin sends from its own threads. What `heard` answers is an error for the plugin."""

        def handle(_owner: int | None, event: int | None, error: int | None) -> int:
            refusal = heard(event or 0)
            if refusal is not None and error:
                text = refusal.encode()[: abi.MAX_ERROR - 1] + b"\0"
                ctypes.memmove(error, text, len(text))
            return abi.SUCCESS if refusal is None else abi.FAILURE

        self._handler = abi.AsyncHandler(handle)
        if self._calls["set_async_event_handler"](self._state, None, self._handler) != abi.SUCCESS:
            raise PluginError(f"cannot take its asynchronous events: {self.error()}")

    def capture(self, on: bool) -> None:
        """Tell a plugin that listens to captures that one begins or ends."""
        if not self.captures:
            return
        here = self._registry
        given = abi.CaptureInput(
            None, ctypes.pointer(self._routines.given), ctypes.pointer(here.reader_ext),
            ctypes.pointer(here.writer), here.owner_error,
        )  # fmt: skip
        name = "capture_open" if on else "capture_close"
        if self._calls[name](self._state, byref(given)) != abi.SUCCESS and on:
            raise PluginError(f"capture_open fails: {self.error()}")

    def close(self) -> None:
        """Close the source and end the plugin."""
        if self.beside and self._state:
            self._calls["set_async_event_handler"](self._state, None, abi.AsyncHandler())
        self._routines.end()
        if self._instance:
            self._calls["close"](self._state, self._instance)
        if self._state:
            self._calls["destroy"](self._state)
        self._state = self._instance = None

    # Events.

    def next(self) -> tuple[list[int | None], bool]:
        """Give the addresses of the next events, and whether the source has ended."""
        count, events = c_uint32(0), POINTER(c_void_p)()
        code = self._calls["next_batch"](self._state, self._instance, byref(count), byref(events))
        if code == abi.FAILURE:
            raise PluginError(self.error())
        if code == abi.TIMEOUT:
            return [], False
        if code not in (abi.SUCCESS, abi.EOF):
            raise PluginError(f"next_batch gives the unknown code {code}")
        if count.value > MOST_EVENTS:
            raise PluginError(f"next_batch gives {count.value} events at once")
        given = events[: count.value] if events else [None] * count.value
        return given, code == abi.EOF

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

    def sends_to(self, source: str) -> bool:
        """Whether the events that it sends from its own threads belong into a source."""
        wanted = self._json("get_async_event_sources") if self.beside else []
        return self.beside and (not wanted or source in wanted)

    def parse(self, event: abi.EventInput, kind: int) -> None:
        """Let the plugin see an event before fields are extracted."""
        if self._parse_types and kind not in self._parse_types:
            return
        here = self._registry
        given = abi.ParseInput(
            None, here.owner_error, here.reader, here.writer, ctypes.pointer(here.reader_ext),
            ctypes.pointer(here.writer),
        )  # fmt: skip
        self._calls["parse_event"](self._state, byref(event), byref(given))

    def requests(self, asked: Sequence[Asked]) -> Requests:
        """Fields to extract, in the form that the plugin reads."""
        return Requests(self.fields, asked)

    def extract(self, event: abi.EventInput, kind: int, requests: Requests) -> Iterator[Any]:
        """Give the value of each requested field, None where there is none."""
        if not len(requests) or (self._extract_types and kind not in self._extract_types):
            return
        requests.renew()
        here = self._registry
        given = abi.ExtractInput(
            None, here.owner_error, len(requests), requests.given, here.reader,
            ctypes.pointer(here.reader_ext), None,
        )  # fmt: skip
        if self._calls["extract_fields"](self._state, byref(event), byref(given)) == abi.SUCCESS:
            yield from requests.values()
        else:
            yield from [None] * len(requests)


_MEMBERS = tuple(name for name, _ in abi.Number._fields_)


def _metric(given: abi.Metric) -> dict[str, Any]:
    """A figure with its name; one of an unknown type is none."""
    known = 0 <= given.value_type < len(_MEMBERS)
    value = getattr(given.value, _MEMBERS[given.value_type]) if known else None
    return {"name": (given.name or b"").decode(errors="replace"), "value": value, "grows": given.type == 0}
