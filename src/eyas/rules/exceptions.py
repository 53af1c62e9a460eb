"""Exceptions of rules: their YAML, how they are merged, and the condition text they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from eyas.rules.document import is_null
from eyas.rules.items import VALIDATE, Item, RefusedError, ValueSet, plain
from eyas.rules.problem import Place, Problem

_LISTS = ("in", "pmatch", "intersects")
_TEXT = (
    "=", "==", "!=", "glob", "iglob", "contains", "icontains", "bcontains", "startswith", "bstartswith",
    "endswith", "regex",
)  # fmt: skip
_OPERATORS = frozenset((*_LISTS, *_TEXT, "<", "<=", ">", ">=", "exists"))
_MODIFIERS = ("oneof", "anyof", "allof")
_KEYS = frozenset(("name", "fields", "comps", "values"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One exception as its file writes it."""

    item: Item
    node: yaml.MappingNode
    name: str
    given: dict[str, Any]

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.item.document.place(self.node.start_mark)

    def refuse(self, message: str, code: str = VALIDATE) -> RefusedError:
        """Make the exception that carries a problem of this entry."""
        items = (("rule", self.item.name), ("exception", self.name))
        return RefusedError(Problem(code, message, self.place, items=items))

    def warn(self, code: str, message: str) -> Problem:
        """Make a warning about this entry."""
        items = (("rule", self.item.name), ("exception", self.name))
        return Problem(code, message, self.place, "warning", "", "", items)


def read(item: Item, problems: list[Problem]) -> list[Entry]:
    """Decode the exceptions of an item."""
    node = item.keys.get("exceptions")
    if node is None or is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise item.refuse("Value of 'exceptions' is not a sequence", "exceptions")
    found = []
    for one in node.value:
        if not isinstance(one, yaml.MappingNode):
            raise item.refuse("Value of 'exceptions' is not a sequence of mappings", "exceptions")
        given = plain(one)
        name = given.get("name")
        entry = Entry(item, one, name if isinstance(name, str) else "", given)
        if not entry.name:
            raise entry.refuse("Item has no mapping for key 'name'")
        problems += [
            entry.warn("LOAD_UNKNOWN_KEY", f"Unknown key '{key}' in exception")
            for key in given.keys() - _KEYS
        ]
        found.append(entry)
    return found


def define(entry: Entry) -> ValueSet:
    """Check an exception and give it its operators."""
    name, value = entry.name, entry.given
    fields = value.get("fields")
    scalar = isinstance(fields, str)
    if not fields:
        raise entry.refuse(f"Rule exception '{name}' must have fields property with a list of fields")
    listed = [fields] if scalar else list(fields)
    comps = value.get("comps")
    if comps is None:
        comps = ["in"] if scalar else ["="] * len(listed)
    comps = [comps] if isinstance(comps, str) else list(comps)
    if len(comps) != len(listed):
        what = f"Fields and comps lists of rule exception '{name}' must have equal length"
        raise entry.refuse(what, "LOAD_ERR_VALIDATE")
    comps = [" ".join(str(comp).split()) for comp in comps]
    for comp in comps:
        word, _, modifier = comp.partition(" ")
        if comp not in _OPERATORS and not (word in _TEXT and modifier in _MODIFIERS):
            what = f"Rule exception '{name}': comparison operator '{comp}' is not a supported comparison operator"
            raise entry.refuse(what, "LOAD_ERR_VALIDATE")
    values = value.get("values") or []
    if not isinstance(values, list):
        raise entry.refuse(f"Rule exception '{name}': values is not a sequence")
    return ValueSet(name, listed, comps, list(values), scalar, entry.place)


def text(exception: ValueSet) -> str:
    """Condition that holds for the values; raises `RefusedError` for a tuple of the wrong length."""
    if exception.scalar:
        members = ", ".join(_quoted(value) for value in exception.values)
        return f"{exception.fields[0]} {exception.comps[0]} ({members})"
    return "(" + " or ".join(_tuple(exception, value) for value in exception.values) + ")"


def _tuple(exception: ValueSet, value: Any) -> str:
    if not isinstance(value, list) or len(value) != len(exception.fields):
        what = f"Fields and values lists of rule exception '{exception.name}' must have equal length"
        items = (("exception", exception.name),)
        raise RefusedError(Problem("LOAD_ERR_VALIDATE", what, exception.place, items=items))
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
