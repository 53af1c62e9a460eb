"""Whether what a package gives is what it should be: each fault with what was expected and found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

from eyas import _core
from eyas.sources.card import Addition, ArgKind, Field, Source, Time, Type

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)*", re.ASCII)


def source(name: str, given: Any) -> Iterator[str]:
    """What is wrong with a source."""
    if not isinstance(given, Source):
        yield f"expected a Source, found {given!r:.60}"
        return
    if given.name != name:
        yield f"its name is '{given.name}', expected '{name}' as the entry point is called"
    if not _NAME.fullmatch(name):
        yield f"'{name}' is no name of a source: small letters, digits and _"
    if given.decode is not None and not callable(given.decode):
        yield f"decode: expected a function, found {given.decode!r:.60}"
    if not isinstance(given.time, Time):
        yield f"time: expected a Time, found {given.time!r:.60}"
        return
    faults = list(_fields(given.fields))
    yield from faults or _refused(given, given.fields)


def addition(given: Any) -> Iterator[str]:
    """What is wrong with fields on sources."""
    if not isinstance(given, Addition):
        yield f"expected an Addition, found {given!r:.60}"
        return
    if not isinstance(given.sources, tuple) or not all(isinstance(one, str) for one in given.sources):
        yield f"sources: expected a tuple of names, found {given.sources!r:.60}"
    if given.look is not None and not callable(given.look):
        yield f"look: expected a function, found {given.look!r:.60}"
    faults = list(_fields(given.fields))
    yield from faults or _refused(Source("x", "", given.fields, Time("/time")), given.fields)


def _fields(given: Any) -> Iterator[str]:
    if not isinstance(given, tuple):
        yield f"fields: expected a tuple of Field, found {given!r:.60}"
        return
    seen: set[str] = set()
    for one in given:
        if not isinstance(one, Field):
            yield f"fields: expected a Field, found {one!r:.60}"
            continue
        yield from _field(one)
        if one.name in seen:
            yield f"field {one.name} is there twice"
        seen.add(one.name)


def _field(one: Field) -> Iterator[str]:
    if not isinstance(one.name, str) or not _FIELD.fullmatch(one.name):
        yield f"'{one.name}' is no name of a field"
    if one.type not in get_args(Type):
        yield f"field {one.name}: expected the type {', '.join(get_args(Type))}, found {one.type!r}"
    if one.arg not in get_args(ArgKind):
        yield f"field {one.name}: expected the argument {', '.join(get_args(ArgKind))}, found {one.arg!r}"
    values = one.value if isinstance(one.value, tuple) else (one.value,)
    for value in values:
        if isinstance(value, str) and value and not value.startswith("/"):
            yield f"field {one.name}: expected a JSON pointer such as /user/name, found '{value}'"


def _refused(made: Source, fields: tuple[Field, ...]) -> Iterator[str]:
    """What the core says to each field."""
    for one in fields:
        try:
            _core.Program(_asks(made, one), made.name)
        except (_core.CoreError, TypeError, ValueError, AttributeError) as error:
            yield f"field {one.name}: {error}"


def _asks(made: Source, one: Field) -> bytes:
    """A program with one rule that asks for a field."""
    asked: dict[str, Any] = {"field": one.name}
    if one.required:
        asked["arg"] = "a" if one.arg == "key" else 0
    rule = {"id": 0, "name": one.name, "source": made.name, "condition": {"test": "exists", "left": asked}}
    return json.dumps({"ir": 1, "rules": [rule], "sources": {made.name: made.ir()}}).encode()
