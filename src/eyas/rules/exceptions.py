"""Exceptions of rules: their YAML, how they are merged, and the condition text they stand for."""

from __future__ import annotations

from typing import Any

import yaml

from eyas.rules.document import is_null
from eyas.rules.items import Item, ValueSet, plain
from eyas.rules.problem import Problem

_LISTS = ("in", "pmatch", "intersects")
_TEXT = (
    "=", "==", "!=", "glob", "iglob", "contains", "icontains", "bcontains", "startswith", "bstartswith",
    "endswith", "regex",
)  # fmt: skip
_OPERATORS = frozenset((*_LISTS, *_TEXT, "<", "<=", ">", ">=", "exists"))
_MODIFIERS = ("oneof", "anyof", "allof")
_KEYS = frozenset(("name", "fields", "comps", "values"))


def read(item: Item, problems: list[Problem]) -> list[dict[str, Any]]:
    """Decode the exceptions of an item."""
    node = item.keys.get("exceptions")
    if node is None or is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise item.refuse("Value of 'exceptions' is not a sequence", "exceptions")
    found = []
    for entry in node.value:
        if not isinstance(entry, yaml.MappingNode):
            raise item.refuse("Value of 'exceptions' is not a sequence of mappings", "exceptions")
        value = plain(entry)
        if not isinstance(value.get("name"), str) or not value["name"]:
            raise item.refuse("Item has no mapping for key 'name'", "exceptions")
        for key in value:
            if key not in _KEYS:
                problems.append(
                    item.warn("LOAD_UNKNOWN_KEY", f"Unknown key '{key}' in exception", "exceptions")
                )
        found.append(value)
    return found


def define(item: Item, value: dict[str, Any]) -> ValueSet:
    """Check an exception and give it its operators."""
    name, fields = value["name"], value.get("fields")
    scalar = isinstance(fields, str)
    if not fields:
        raise item.refuse(
            f"Rule exception '{name}' must have fields property with a list of fields", "exceptions"
        )
    listed = [fields] if scalar else list(fields)
    comps = value.get("comps")
    if comps is None:
        comps = ["in"] if scalar else ["="] * len(listed)
    comps = [comps] if isinstance(comps, str) else list(comps)
    if len(comps) != len(listed):
        raise item.refuse(
            f"Fields and comps lists of rule exception '{name}' must have equal length",
            "exceptions",
            "LOAD_ERR_VALIDATE",
        )
    comps = [" ".join(str(comp).split()) for comp in comps]
    for comp in comps:
        word, _, modifier = comp.partition(" ")
        if comp not in _OPERATORS and not (word in _TEXT and modifier in _MODIFIERS):
            raise item.refuse(
                f"Rule exception '{name}': comparison operator '{comp}' is not a supported comparison operator",
                "exceptions",
                "LOAD_ERR_VALIDATE",
            )
    values = value.get("values") or []
    if not isinstance(values, list):
        raise item.refuse(f"Rule exception '{name}': values is not a sequence", "exceptions")
    return ValueSet(name, listed, comps, list(values), scalar, item.place)


def text(exception: ValueSet) -> str:
    """Condition that holds for the values; raises `ValueError` for a tuple of the wrong length."""
    if exception.scalar:
        members = ", ".join(_quoted(value) for value in exception.values)
        return f"{exception.fields[0]} {exception.comps[0]} ({members})"
    return "(" + " or ".join(_tuple(exception, value) for value in exception.values) + ")"


def _tuple(exception: ValueSet, value: Any) -> str:
    if not isinstance(value, list) or len(value) != len(exception.fields):
        raise ValueError(
            f"Fields and values lists of rule exception '{exception.name}' must have equal length"
        )
    triples = zip(exception.fields, exception.comps, value, strict=True)
    return "(" + " and ".join(f"{name} {comp} {_operand(comp, one)}" for name, comp, one in triples) + ")"


def _operand(comp: str, value: Any) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_quoted(one) for one in value) + ")"
    return f"({_quoted(value)})" if comp in _LISTS or " " in comp else _quoted(value)


def _quoted(value: Any) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_quoted(one) for one in value) + ")"
    text = "" if value is None else str(value)
    if text == "" or (" " in text and text[0] not in "\"'"):
        return f'"{text}"'
    return text
