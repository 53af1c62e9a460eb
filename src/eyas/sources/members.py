"""The log sources that rules can name: those of the list, and those of installed packages.

A package adds a source with an entry point of the group `eyas.sources` that leads to its `Source`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from importlib import metadata

from eyas import catalog
from eyas.catalog import Catalog, Ground, Version
from eyas.sources import MEMBERS, card
from eyas.sources.card import Source

GROUP = "eyas.sources"


@functools.cache
def find(name: str) -> Source | None:
    """Find a source by the name that rules give it."""
    if name in MEMBERS:
        own: Source = importlib.import_module(f"eyas.sources.{name}").SOURCE
        return own
    for entry in metadata.entry_points(group=GROUP, name=name):
        made: Source = entry.load()
        return made
    return None


def names() -> list[str]:
    """Names of all sources, our own first."""
    others = {entry.name for entry in metadata.entry_points(group=GROUP)}
    return [*MEMBERS, *sorted(others - set(MEMBERS))]


@functools.cache
def known() -> Catalog:
    """Everything that rules can ask, of the kernel and of every log source."""
    return catalog.load().with_sources({name: _ground(name) for name in names()}, plugin)


def plugin(name: str) -> Version | None:
    """Version of a plugin of the field that one of the sources stands for."""
    for source in map(find, names()):
        if source is not None and name in (source.plugin, *source.same_as):
            return source.version
    return None


def ground(source: Source) -> Ground:
    """What the rules of a source stand on."""
    fields = (_field(source.name, one) for one in source.every())
    return Ground(tuple(fields), source.ir())


def _ground(name: str) -> Callable[[], Ground]:
    @functools.cache
    def made() -> Ground:
        source = find(name)
        if source is None:
            raise LookupError(name)
        return ground(source)

    return made


def _field(source: str, one: card.Field) -> catalog.Field:
    exact = {"int": "int64", "uint": "uint64"}.get(one.type, one.type)
    flags = [("deprecated", one.deprecated), ("suggested_output", one.suggested)]
    return catalog.Field(
        name=one.name,
        type=one.type,
        list=one.list,
        arg=one.arg,
        required=one.required,
        flags=frozenset(flag for flag, on in flags if on),
        about=one.about,
        source=source,
        cls=one.name.split(".")[0],
        exact=exact,
    )
