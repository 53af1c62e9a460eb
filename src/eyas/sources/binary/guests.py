"""Binary plugins that give no events: they look at the records of a source of Eyas, and add fields to them."""

from __future__ import annotations

import functools
import json
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from eyas.errors import EyasError, RunError
from eyas.rules import Compiled
from eyas.sources import documents
from eyas.sources.asked import Asked, asked_of
from eyas.sources.binary.child import Child
from eyas.sources.binary.outage import PAUSES, Outage
from eyas.sources.card import Field, Record, Source
from eyas.transports.status import Status

# Where the fields stand in a record.
PLACE = "/eyas/plugins"
# The first time it is started again at once: the record at which it failed is left out.
AT_ONCE = (0.0, *PAUSES)
_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


class Guests:
    """A source with the plugins that look at its records. Their process starts with the first record."""

    def __init__(
        self, source: Source, fields: Sequence[Field], plugins: Sequence[Mapping[str, str]], name: str
    ) -> None:
        self._plain = source
        self._fields = frozenset(field.name for field in fields)
        self._plugins, self._name = list(plugins), name
        self._asked = Asked()
        self._child: Child | None = None
        self._until = 0.0  # when it may be started again
        self.status = Status(f"{name} on {source.name}", where=f"plugin {name}, records of {source.name}")
        self.tell: Callable[[EyasError], None] = self._log
        self._outage = Outage(self.status, lambda error: self.tell(error), name, AT_ONCE)
        self.source = replace(source, fields=(*source.fields, *fields), decode=self._decode)

    def _log(self, error: EyasError) -> None:
        _log().error("a plugin failed", source=self.source.name, reason=str(error))

    def card(self, rules: Iterable[Compiled]) -> Source:
        """The source for these rules: without the plugins when none of the rules asks them."""
        self._asked = asked_of(rules, self.source.name, self._fields)
        self._end()
        return self.source if self._asked.fields else self._plain

    def _decode(self, body: bytes) -> Iterator[Record]:
        records = list(documents.records(body, self._plain))
        known = [dict(record.data) for record in records if not isinstance(record.data, bytes)]
        found = iter(self._looked(known))
        for record in records:
            yield (
                record
                if isinstance(record.data, bytes)
                else documents.with_ours(record, "plugins", next(found))
            )

    def _looked(self, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Fields of each record; none for the record at which the plugin fails, and none while it is not running."""
        given = [(_moment(record, self._plain), _written(record)) for record in records]
        found: list[dict[str, Any]] = []
        while len(found) < len(given):
            if time.monotonic() < self._until:
                rest = len(given) - len(found)
                self.status.refuse("not looked at", f"plugin {self._name}", self.status.detail, rest)
                return found + [{}] * rest
            try:
                self._look(given[len(found) :], found)
            except RunError as error:
                found.append({})
                self._end()
                self._until = time.monotonic() + self._outage.failed(error)
        return found

    def _look(self, given: Sequence[tuple[int, str]], found: list[dict[str, Any]]) -> None:
        if self._child is None:
            self._child = self._started()
        for header, _ in self._child.calls("look", records=given):
            if header.get("more"):
                found.append(header["fields"])
        self.status.arrived(sum(len(text) for _, text in given))
        self.status.events += len(given)
        self._outage.works()

    def _started(self) -> Child:
        child = Child(self._name)
        # Rules that are replaced leave their plugins behind; the process goes with the last who asks it.
        weakref.finalize(self, child.end)
        child.call("start", source=self._plain.name, plugins=self._plugins)
        child.call("ask", fields=self._asked.fields, info=False)
        return child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


def _written(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _moment(record: dict[str, Any], source: Source) -> int:
    """When a record happened, in nanoseconds; now, when it does not say."""
    for pointer, clock in source.time.places():
        value: Any = record
        for key in pointer.split("/")[1:]:
            value = value.get(key) if isinstance(value, dict) else None
        try:
            if clock == "rfc3339" and isinstance(value, str):
                return int(datetime.fromisoformat(value).timestamp() * 1_000_000) * 1000
            if isinstance(value, int | float) and clock in _UNITS:
                return int(value * _UNITS[clock])
        except (ValueError, OverflowError):
            continue
    return time.time_ns()


@functools.cache
def _log() -> Any:
    import structlog

    return structlog.get_logger("eyas.plugins")
