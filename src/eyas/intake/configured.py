"""The key `sources` of the configuration as feeds: each a source with the way it arrives."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eyas.errors import UsageError
from eyas.sources import members, packages
from eyas.sources.card import Source
from eyas.sources.reach import REACHED, USUAL, plain
from eyas.sources.reach.way import Way, read

# Keys that every feed has; the others belong to its way.
OWN = ("source", "via", "silent")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured source. `silent` is after how many seconds without anything an alert is raised; 0 is never."""

    name: str
    source: Source
    way: Way
    settings: Any
    silent: float = 0.0


def configured(sections: Mapping[str, Any]) -> list[Feed]:
    """All feeds; UsageError says which key of which feed is wrong."""
    return [feed(name, section) for name, section in sections.items()]


def feed(name: str, section: Any) -> Feed:
    """One feed."""
    what = f"sources.{name}"
    if not isinstance(section, dict):
        raise UsageError(f"{what}: expected a mapping with 'via' and what it needs, found {section!r:.60}")
    source = source_of(str(section.get("source", name)), what)
    way = way_of(source.name, str(section.get("via", "")), what)
    settings = read(way, {key: value for key, value in section.items() if key not in OWN}, what)
    return Feed(name, source, way, settings, _seconds(section.get("silent", source.silent), what))


def source_of(name: str, what: str) -> Source:
    """A source by name."""
    found = members.find(name)
    if found is None:
        raise UsageError(f"{what}: there is no source '{name}'", _near(name, members.names()))
    return found


def way_of(source: str, via: str, what: str) -> Way:
    """A way of a source by name."""
    known = {way.via: way for way in ways(source)}
    if via not in known:
        hint = _near(via, list(known)) or f"ways of {source}: {', '.join(known)}"
        raise UsageError(f"{what}: 'via' is '{via}', which is no way of {source}", hint)
    return known[via]


def ways(source: str) -> list[Way]:
    """Ways of a source: its own first, then what it mostly arrives by, then the others that all have."""
    own = {way.via: way for way in _own(source)}
    usual = USUAL.get(source, ())
    rest = [way for way in plain.WAYS if way.via not in own]
    order = {via: number for number, via in enumerate(usual)}
    return [*own.values(), *sorted(rest, key=lambda way: order.get(way.via, len(usual)))]


def _own(source: str) -> tuple[Way, ...]:
    if source in REACHED:
        made: tuple[Way, ...] = importlib.import_module(f"eyas.sources.reach.{source}").WAYS
        return made
    theirs = packages.ways(source)
    if not isinstance(theirs, tuple) or not all(isinstance(one, Way) for one in theirs):
        raise UsageError(
            f"source {source}: WAYS of its package: expected a tuple of Way, found {theirs!r:.60}"
        )
    return theirs


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean '{near[0]}'?" if near else ""


def _seconds(value: Any, what: str) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    text = str(value)
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not number.replace(".", "", 1).isdecimal():
        raise UsageError(f"{what}: 'silent' is '{value}', expected a time such as 30m or 2h")
    return float(number) * _UNITS[unit]
