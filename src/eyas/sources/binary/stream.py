"""The events of a binary plugin as parcels of records."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from eyas.errors import PassingError, RunError
from eyas.rules import Compiled
from eyas.sources.binary.child import Child
from eyas.sources.card import Source
from eyas.sources.reach.way import Way
from eyas.transports.parcel import Link, Parcel

PAUSE = 0.03  # seconds until a plugin that has nothing is asked again


@dataclass(frozen=True, slots=True)
class Asked:
    """What rules ask of a source: fields with their arguments, and whether an event in one line."""

    fields: tuple[tuple[str, str | int | None], ...] = ()
    info: bool = False


@dataclass(slots=True)
class Stream:
    """A source with the plugins that make it: the one that gives its events, then those that only extract."""

    source: Source
    plugins: tuple[Mapping[str, str], ...]  # library and config of each
    parameters: str
    asked: Asked = field(default_factory=Asked)

    def ask(self, rules: Iterable[Compiled]) -> None:
        """Turn to what these rules ask, from the next batch on."""
        self.asked = asked_of(rules, self.source.name, {one.name for one in self.source.fields})


def asked_of(rules: Iterable[Compiled], source: str, known: Set[str]) -> Asked:
    """What the rules of a source ask of the known fields."""
    found: dict[tuple[str, str | int | None], None] = {}
    for rule in rules:
        if rule.source == source:
            found.update(dict.fromkeys(_fields([rule.condition, *rule.operands, *rule.template.operands])))
    info = ("evt.plugininfo", None) in found
    return Asked(tuple(one for one in found if one[0] in known), info)


def _fields(ir: Any) -> Iterator[tuple[str, str | int | None]]:
    """Fields in IR, each with its argument."""
    if isinstance(ir, list):
        for one in ir:
            yield from _fields(one)
    elif isinstance(ir, dict):
        if isinstance(ir.get("field"), str):
            yield ir["field"], ir.get("arg")
        for one in ir.values():
            yield from _fields(one)


def probe(stream: Stream) -> str:
    """Start the plugin and open its source."""
    with Child(stream.source.plugin) as child:
        _open(child, stream)
    return f"{stream.source.plugin} opens '{stream.parameters}'"


def parcels(stream: Stream, link: Link) -> Iterator[Parcel]:
    """Give batches of records until the source ends."""
    link.status.where = f"plugin {stream.source.plugin}"
    with Child(stream.source.plugin) as child:
        threading.Thread(target=_end, args=(child, link), daemon=True).start()
        try:
            yield from _batches(child, stream, link)
        except PassingError:
            if not link.stop.is_set():
                raise


def _batches(child: Child, stream: Stream, link: Link) -> Iterator[Parcel]:
    asked = _open(child, stream)
    link.status.turn("running")
    while not link.stop.is_set():
        if stream.asked is not asked:
            asked = _ask(child, stream)
        header, body = child.call("next")
        if body:
            yield Parcel(body, f"plugin {stream.source.plugin}")
        if header.get("ended"):
            return
        if not body:
            link.wait(PAUSE)


def _open(child: Child, stream: Stream) -> Asked:
    try:
        child.call("start", source=stream.source.name, plugins=list(stream.plugins))
    except PassingError as error:
        raise RunError(str(error)) from None
    asked = _ask(child, stream)
    child.call("open", parameters=stream.parameters)
    return asked


def _ask(child: Child, stream: Stream) -> Asked:
    asked = stream.asked
    child.call("ask", fields=asked.fields, info=asked.info)
    return asked


def _end(child: Child, link: Link) -> None:
    """End a plugin that waits for its next event."""
    link.stop.wait()
    child.kill()


VIA = Way("plugin", "Events of a binary plugin.", Stream, parcels, probe)
