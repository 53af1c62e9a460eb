"""What installed packages add: sources, and fields on sources that are there. What is broken is left out, with its reason."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from eyas.sources import MEMBERS, checked
from eyas.sources.card import Addition, Source

SOURCES, FIELDS = "eyas.sources", "eyas.fields"


@dataclass(frozen=True, slots=True)
class Found:
    """What an entry point leads to, and the module it is in."""

    name: str
    value: Any
    module: str
    place: str


@dataclass(slots=True)
class Installed:
    """All that packages add."""

    sources: dict[str, Source] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    additions: list[Addition] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take_source(self, found: Found) -> None:
        """Take a source; the first of a name counts."""
        faults = list(checked.source(found.name, found.value))
        if found.name in MEMBERS:
            faults.append("Eyas has a source of this name itself")
        elif found.name in self.sources:
            faults.append(f"{self.modules[found.name]} has a source of this name too")
        if not faults:
            self.sources[found.name], self.modules[found.name] = found.value, found.module
        self.note(found, faults)

    def take_addition(self, found: Found) -> None:
        """Take fields on sources; those that one of their sources has already are refused."""
        faults = list(checked.addition(found.value))
        if not faults:
            taken = [one.name for other in self.additions for one in other.fields]
            faults = [
                f"there is a field {one.name} already" for one in found.value.fields if one.name in taken
            ]
        if not faults:
            self.additions.append(found.value)
        self.note(found, faults)

    def note(self, found: Found, faults: Sequence[str]) -> None:
        """Note what is wrong."""
        self.faults += [f"{found.place} is left out: {fault}" for fault in faults]


@functools.cache
def installed() -> Installed:
    """Everything that the packages of this Python add, loaded once."""
    made = Installed()
    for found in entries(SOURCES, made.faults):
        made.take_source(found)
    for found in entries(FIELDS, made.faults):
        made.take_addition(found)
    return made


def entries(group: str, faults: list[str]) -> Iterator[Found]:
    """What the entry points of a group lead to, in order of their names."""
    kind = group.rpartition(".")[2].removesuffix("s")
    listed = sorted(metadata.entry_points(group=group), key=lambda one: (one.name, one.value))
    for entry in dict.fromkeys(listed):
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module
        place = f"package {package}: {kind} '{entry.name}' ({entry.value})"
        try:
            yield Found(entry.name, entry.load(), entry.module, place)
        except (Exception, SystemExit) as error:  # whatever a package does, the rest goes on
            faults.append(f"{place} is left out: {type(error).__name__}: {error}")


def ways(source: str) -> Any:
    """What the module of a source gives as its own ways."""
    module = installed().modules.get(source)
    return getattr(importlib.import_module(module), "WAYS", ()) if module else ()
