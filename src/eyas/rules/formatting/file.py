"""A whole rule file in the one form. Whatever cannot be laid out without loss stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from eyas.rules.formatting.comments import Comment, find
from eyas.rules.formatting.layout import Layout, RefusedError, last_line
from eyas.rules.formatting.prose import squeezed, unwrapped
from eyas.rules.items import plain

# Ends of lines that only YAML knows; where one stands, rows of the text and of YAML are not the same.
_RARE = re.compile("[\x85\u2028\u2029]|\r(?!\n)")


class FormatError(Exception):
    """The text is no rule file; `line` is where, from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def formatted(text: str) -> str:
    """The text in the one form; the text itself when that would change what it means. Raises `FormatError`."""
    items = _items(text)
    if _RARE.search(text):
        return text
    comments = find(text)
    rows = text.split("\n")
    parts: list[str] = []
    done = 0
    for item in items:
        start = item.start_mark.line
        parts += _between(rows[done:start])
        end = last_line(item) + 1
        if start < done:
            return text
        parts.append("\n".join(_lines(item, text, comments, rows[start:end])))
        done = end
    parts += _between(rows[done:])
    made = _joined(parts)
    return made if _same(text, made) else text


def _items(text: str) -> list[yaml.MappingNode]:
    try:
        roots = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FormatError(line, error.problem or "not YAML") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise FormatError(1, str(error).split("\n")[0] or "nested too deep") from None
    return [item for root in roots if root is not None for item in _members(root)]


def _members(root: yaml.Node) -> list[yaml.MappingNode]:
    if not isinstance(root, yaml.SequenceNode) or root.flow_style:
        raise FormatError(root.start_mark.line + 1, "expected a list of rules, macros and lists")
    for member in root.value:
        if not isinstance(member, yaml.MappingNode) or member.flow_style:
            raise FormatError(member.start_mark.line + 1, "expected a rule, macro or list")
    return list(root.value)


def _lines(item: yaml.MappingNode, text: str, comments: list[Comment], rows: list[str]) -> list[str]:
    """Lines of an item; those it has when they cannot be laid out without loss."""
    try:
        lines = Layout(text, comments).item(item)
        made = _items("\n".join([*lines, ""]))
    except (RefusedError, FormatError):
        return _kept(rows)
    return lines if len(made) == 1 and _meaning(made[0]) == _meaning(item) else _kept(rows)


def _kept(rows: list[str]) -> list[str]:
    """Rows as they are."""
    kept = list(rows)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _between(rows: list[str]) -> Iterator[str]:
    """Comments and document marks between items, in groups as they were."""
    group: list[str] = []
    for row in [*rows, ""]:
        if row.strip():
            group.append(row.rstrip())
        elif group:
            yield "\n".join(group)
            group = []
    # A comment right above an item belongs to it.
    if rows and rows[-1].strip():
        yield ""


def _joined(parts: list[str]) -> str:
    """Parts with one empty line between them, none between a comment and the item it belongs to."""
    text = ""
    glued = True
    for part in parts:
        if part == "":
            glued = True
            continue
        text += ("" if not text else "\n" if glued else "\n\n") + part
        glued = False
    return text + "\n" if text else ""


def _same(before: str, after: str) -> bool:
    """Whether two texts mean the same and hold the same comments."""
    comments = sorted(c.text for c in find(before)) == sorted(c.text for c in find(after))
    return comments and [_meaning(item) for item in _items(before)] == [
        _meaning(item) for item in _items(after)
    ]


def _meaning(item: yaml.MappingNode) -> dict[str, Any]:
    """What an item says, whatever its layout."""
    said: dict[str, Any] = plain(item)
    for key, plainly in (("condition", squeezed), ("output", str.strip), ("desc", unwrapped)):
        if isinstance(said.get(key), str):
            said[key] = plainly(said[key])
    return said
