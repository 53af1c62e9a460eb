"""The keys `plugins` and `load_plugins` as log sources: which plugins are loaded, what they say they are."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from eyas.catalog import KERNEL, Catalog, Ground, Version
from eyas.errors import RunError, UsageError
from eyas.rules import Compiled
from eyas.sources import members
from eyas.sources.binary import declared, schema
from eyas.sources.binary.child import Child
from eyas.sources.binary.guests import PLACE, Guests
from eyas.sources.binary.stream import Stream
from eyas.sources.card import ArgKind, Field, Source, Time

FOLDER = Path("/usr/share/falco/plugins")
# What these give is part of Eyas.
OWN = frozenset(("container", "json", "k8smeta"))


class Entry(Protocol):
    """An entry of `plugins`."""

    name: str
    library_path: str
    init_config: str | dict[str, Any] | None
    open_params: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin with what it says about itself."""

    entry: Entry
    library: Path
    facts: Mapping[str, Any]

    @property
    def version(self) -> Version | None:
        """Its version, when it is one."""
        parts = str(self.facts["version"]).split("-")[0].split(".")
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            return None
        return int(parts[0]), int(parts[1]), int(parts[2])


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plugins in force, and the streams that they give."""

    streams: tuple[Stream, ...] = ()
    versions: Mapping[str, Version] | None = None
    guests: tuple[Guests, ...] = ()

    def card(self, name: str, rules: Iterable[Compiled]) -> Source | None:
        """A source of Eyas by name, with what plugins add to its records for these rules."""
        return next((g.card(rules) for g in self.guests if g.source.name == name), members.find(name))

    def known(self, catalog: Catalog) -> Catalog:
        """Return a catalogue that knows their sources and versions too."""
        made = (*(one.source for one in self.streams), *(one.source for one in self.guests))
        grounds = {source.name: functools.partial(_ground, source) for source in made}
        have = self.versions or {}
        return catalog.with_sources(grounds, lambda name: have.get(name) or catalog.plugin(name))

    def ask(self, rules: Iterable[Compiled]) -> None:
        """Tell every stream what rules ask of it."""
        for stream in self.streams:
            stream.ask(rules)


NO_PLUGINS = Plugins()


def _ground(source: Source) -> Ground:
    return members.ground(source)


def configured(
    entries: Sequence[Entry], load: Sequence[str] | None, folder: Path = FOLDER
) -> tuple[Plugins, list[str]]:
    """Load what the configuration names; what is left out comes back as warnings."""
    loaded: list[Loaded] = []
    warnings: list[str] = []
    for entry in _chosen(entries, load):
        if entry.name in OWN:
            continue
        library = _library(entry, folder)
        if library.exists():
            loaded.append(_checked(Loaded(entry, library, _described(entry.name, library))))
        elif (own := _stands_for(entry.name)) is not None:
            warnings.append(
                f"plugin {entry.name}: {library} is missing; its rules run on the source '{own}' of Eyas, which reads what `sources` configures"
            )
        else:
            raise UsageError(f"plugin {entry.name}: {library} is missing")
    warnings += [
        f"plugin {one.entry.name}: no event of the kernel reaches binary plugins; rules cannot name its fields for those"
        for one in loaded
        if KERNEL in (*one.facts["extracts_from"], *one.facts["parses_from"])
    ]
    versions = {one.facts["name"]: version for one in loaded if (version := one.version) is not None}
    streams = tuple(_stream(one, loaded) for one in loaded if "sourcing" in one.facts["capabilities"])
    return Plugins(streams, versions, tuple(_guests(loaded))), warnings


def _chosen(entries: Sequence[Entry], load: Sequence[str] | None) -> list[Entry]:
    named = {entry.name: entry for entry in entries}
    if load is None:
        return list(named.values())
    for name in load:
        if name not in named:
            raise UsageError(f"load_plugins: no plugin is called '{name}' in 'plugins'")
    return [named[name] for name in load]


def _library(entry: Entry, folder: Path) -> Path:
    path = Path(entry.library_path)
    if path.is_absolute():
        return path
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise UsageError(f"plugin {entry.name}: {entry.library_path} leaves the plugin folder {folder}")
    return found


def _described(name: str, library: Path) -> Mapping[str, Any]:
    try:
        with Child(name) as child:
            facts = child.call("describe", library=str(library))[0]
    except RunError as error:
        raise UsageError(str(error)) from None
    if found := list(declared.faults(facts)):
        raise UsageError("\n".join(f"plugin {name}: {fault}" for fault in found))
    return facts


def _checked(one: Loaded) -> Loaded:
    """The plugin itself; UsageError when its configuration is not what its schema says."""
    config = one.entry.init_config
    if one.facts.get("schema") is None or config in (None, ""):
        return one
    try:
        value = json.loads(config) if isinstance(config, str) else config
    except (ValueError, RecursionError):
        raise UsageError(f"plugin {one.entry.name}: init_config is not JSON") from None
    found = list(schema.faults(value, one.facts["schema"]))
    if found:
        raise UsageError("\n".join(f"plugin {one.entry.name}: {fault}" for fault in found))
    return one


def _stands_for(name: str) -> str | None:
    for source in map(members.find, members.names()):
        if source is not None and name in (source.plugin, *source.same_as):
            return source.name
    return None


def _stream(one: Loaded, loaded: Sequence[Loaded]) -> Stream:
    name = one.facts["source"]
    others = [other for other in loaded if other is not one and _extracts(other, name)]
    fields: dict[str, Field] = {}
    for plugin in (one, *others):
        for said in plugin.facts["fields"]:
            fields.setdefault(said["name"], _field(said))
    source = Source(
        name=name,
        about=str(one.facts["about"]),
        fields=tuple(fields.values()),
        time=Time("/t", "ns"),
        info="/i",
        plugin=str(one.facts["name"]),
        payload="/p",
        asynctype="/n",
    )
    guests = tuple(
        {"library": str(plugin.library), "config": _config(plugin.entry)} for plugin in (one, *others)
    )
    return Stream(source, guests, one.entry.open_params)


def _guests(loaded: Sequence[Loaded]) -> Iterator[Guests]:
    """Sources of Eyas at whose records a plugin looks that gives no events."""
    for source in map(members.find, members.names()):
        those = [
            one
            for one in loaded
            if source is not None and one.facts["fields"] and _extracts(one, source.name)
        ]
        if source is None or not those:
            continue
        fields = [_field(said, PLACE) for one in those for said in one.facts["fields"]]
        own = {field.name for field in source.every()}
        plugins = [{"library": str(one.library), "config": _config(one.entry)} for one in those]
        added = [field for field in fields if field.name not in own]
        yield Guests(source, added, plugins, ", ".join(one.entry.name for one in those))


def _extracts(plugin: Loaded, source: str) -> bool:
    able = {"extraction", "parsing", "async"} & set(plugin.facts["capabilities"])
    wanted = plugin.facts["extracts_from"]
    return bool(able) and "sourcing" not in plugin.facts["capabilities"] and (not wanted or source in wanted)


def _config(entry: Entry) -> str:
    config = entry.init_config
    return config if isinstance(config, str) else "" if config is None else json.dumps(config)


def _field(said: Mapping[str, Any], place: str = "/f") -> Field:
    name, arg = str(said["name"]), said.get("arg") or {}
    step = name.replace("~", "~0").replace("/", "~1")
    many = bool(said.get("isList"))
    return Field(
        name=name,
        type=declared.TYPES[said["type"]],
        value=f"{place}/{step}/{{arg}}" + ("/*" if many else ""),
        about=str(said.get("desc", "")),
        list=many,
        arg=_argument(bool(arg.get("isIndex")), bool(arg.get("isKey"))),
        required=bool(arg.get("isRequired")),
        suggested=bool(said.get("addOutput")),
    )


def _argument(index: bool, key: bool) -> ArgKind:
    if index and key:
        return "index_or_key"
    return "index" if index else "key" if key else "none"
