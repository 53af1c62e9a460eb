"""The `init_config` of a plugin against the JSON schema that it gives, as far as such schemas go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
DEEPEST = 32


def faults(
    value: Any, schema: Any, whole: Any = None, at: str = "init_config", depth: int = 0
) -> Iterator[str]:
    """What does not fit, each with its place."""
    whole = schema if whole is None else whole
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    if isinstance(schema.get("$ref"), str):
        yield from faults(value, _found(whole, schema["$ref"]), whole, at, depth + 1)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES[kind](value) for kind in kinds if kind in _TYPES):
        yield f"{at}: expected {' or '.join(kinds)}, found {value!r:.40}"
        return
    if isinstance(schema.get("enum"), list) and value not in schema["enum"]:
        yield f"{at}: expected one of {', '.join(map(str, schema['enum']))}, found {value!r:.40}"
    if isinstance(value, dict):
        yield from _members(value, schema, whole, at, depth)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from faults(item, schema.get("items"), whole, f"{at}[{number}]", depth + 1)


def _members(value: dict[str, Any], schema: dict[str, Any], whole: Any, at: str, depth: int) -> Iterator[str]:
    known = schema.get("properties")
    known = known if isinstance(known, dict) else {}
    yield from (f"{at}: '{name}' is missing" for name in schema.get("required", ()) if name not in value)
    for name, inside in value.items():
        if name in known:
            yield from faults(inside, known[name], whole, f"{at}.{name}", depth + 1)
        elif schema.get("additionalProperties") is False:
            yield f"{at}: unknown key '{name}'"


def _found(whole: Any, reference: str) -> Any:
    """What `#/definitions/NAME` stands for."""
    for key in reference.removeprefix("#").split("/")[1:]:
        whole = whole.get(key) if isinstance(whole, dict) else None
    return whole
