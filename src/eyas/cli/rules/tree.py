"""How a condition came out on an event, as a tree: what held, what did not, and the value that decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from eyas import lang

WORDS = {"and": "all of", "or": "any of"}


def lines(node: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """A tree as lines, marked `yes` and `no`."""
    mark = click.style("yes", fg="green") if node["held"] else click.style("no ", fg="red")
    head = f"{mark}  {'  ' * depth}"
    for key, word in WORDS.items():
        if key in node:
            yield head + word
            for child in node[key]:
                yield from lines(child, depth + 1)
            return
    if "not" in node:
        yield head + "not"
        yield from lines(node["not"], depth + 1)
    elif "test" in node:
        yield f"{head}{shown(node['test'])}{click.style(f'   # {found(node)}', dim=True)}"
    else:
        yield f"{head}{json.dumps(node.get('const'))}"


def shown(test: str) -> str:
    """One comparison, its long lists cut."""
    text = lang.show(json.loads(test))
    head, opening, inside = text.partition(" (")
    members = inside.split(", ")
    if not opening or len(members) <= 8:
        return text
    return f"{head} ({', '.join(members[:6])}, … {len(members) - 6} more)"


def found(node: dict[str, Any]) -> str:
    """The value that a comparison saw."""
    return "no value" if node["absent"] else json.dumps(node["value"], ensure_ascii=True)


def reasons(node: dict[str, Any]) -> Iterator[str]:
    """The comparisons for which the condition did not hold."""
    if node["held"]:
        return
    if "not" in node:
        yield from (f"holds, and must not: {text}" for text in held(node["not"]))
    for key in WORDS:
        for child in node.get(key, ()):
            yield from reasons(child)
    if "test" in node:
        yield f"does not hold: {shown(node['test'])}, found {found(node)}"


def held(node: dict[str, Any]) -> Iterator[str]:
    """The comparisons that held."""
    if not node["held"]:
        return
    for key in WORDS:
        for child in node.get(key, ()):
            yield from held(child)
    if "test" in node:
        yield f"{shown(node['test'])}, found {found(node)}"
