"""The log sources that rules can name: those of the list, and those of installed packages.

A package adds a source with an entry point of the group `eyas.sources` that leads to its `Source`, and fields on sources
with one of the group `eyas.fields` that leads to an `Addition`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import replace

from eyas import catalog
from eyas.catalog import KERNEL, Catalog, Ground, Version
from eyas.sources import MEMBERS, card, packages
from eyas.sources.card import Addition, Source


@functools.cache
def find(name: str) -> Source | None:
    """Find a source by the name that rules give it, with what packages add to it."""
    found = packages.installed().sources.get(name)
    if name in MEMBERS:
        found = importlib.import_module(f"eyas.sources.{name}").SOURCE
    if found is None:
        return None
    fitting = [one for one in packages.installed().additions if name in one.sources]
    return replace(found, additions=tuple(one for one in fitting if not _clashes(found, one)))


def names() -> list[str]:
    """Names of all sources, our own first."""
    return [*MEMBERS, *packages.installed().sources]


def faults() -> list[str]:
    """What is wrong with installed packages, each with the package."""
    found = list(packages.installed().faults)
    for one in packages.installed().additions:
        for name in one.sources:
            what = f"fields '{one.name}' on source {name} are left out"
            source = find(name)
            if name == KERNEL:
                found.append(f"{what}: fields of the kernel's events are made in the core")
            elif source is None:
                found.append(f"{what}: there is no such source")
            elif one not in source.additions:
                found.append(f"{what}: it has a field {', '.join(_clashes(source, one))} already")
    return found


def _clashes(source: Source, addition: Addition) -> list[str]:
    own = {one.name for one in replace(source, additions=()).every()}
    return sorted(own & {one.name for one in addition.fields})


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
