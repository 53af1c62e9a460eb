"""Tests that a rule carries: events it must catch, events it must not."""

from __future__ import annotations

import yaml

from eyas.rules.document import Document, is_null
from eyas.rules.items import Example, Item
from eyas.rules.problem import Problem
from eyas.rules.text import Source

CODE = "LOAD_WARNING_EXTENSION"
_FORM = "a test is {catches: NAME, events: TEXT} or {ignores: NAME, events: TEXT}"
_KEYS = ("catches", "ignores", "events", "output")


def read(item: Item) -> tuple[list[Example], list[Problem]]:
    """Read the `tests` of a rule. What is wrong there is a warning, since the rule itself can still run."""
    node = item.keys.get("tests")
    if node is None or is_null(node):
        return [], []
    if not isinstance(node, yaml.SequenceNode):
        return [], [item.warn(CODE, "Value of 'tests' is not a sequence", "tests", _FORM)]
    examples, problems = [], []
    for entry in node.value:
        found = _example(item, entry)
        if isinstance(found, Example):
            examples.append(found)
        else:
            problems.append(found)
    return examples, problems


def _example(item: Item, entry: yaml.Node) -> Example | Problem:
    if not isinstance(entry, yaml.MappingNode):
        return _warn(item, entry, "a test is a mapping")
    keys = {str(key.value): (key, value) for key, value in entry.value}
    for name, (key, value) in keys.items():
        if name not in _KEYS:
            return _warn(item, key, f"a test has no key '{name}'")
        if not isinstance(value, yaml.ScalarNode) or is_null(value) or not value.value.strip():
            return _warn(item, value, f"'{name}' of a test is a text")
    if ("catches" in keys) == ("ignores" in keys):
        return _warn(item, entry, "a test either catches or ignores")
    if "events" not in keys:
        return _warn(item, entry, "a test needs events")
    kind = "catches" if "catches" in keys else "ignores"
    output = str(keys["output"][1].value).strip() if "output" in keys else ""
    place = item.document.place(entry.start_mark)
    return Example(
        str(keys[kind][1].value), kind == "catches", _text(item.document, keys["events"][1]), place, output
    )


def _text(document: Document, node: yaml.Node) -> Source:
    return Source.of(str(node.value), lambda offset: document.inside(node, offset))


def _warn(item: Item, node: yaml.Node, message: str) -> Problem:
    place = item.document.place(node.start_mark)
    return Problem(CODE, message, place, "warning", _FORM, "", ((item.kind, item.name), ("tests", "")))
