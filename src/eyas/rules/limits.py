"""How large conditions may grow, so that no rule file can keep the machine busy or fill its memory."""

from __future__ import annotations

import functools
import json
import re

from eyas.lang import And, FaultError, Node, Not, Or, fold
from eyas.lang.diagnostics import refuse

MAX_LENGTH = 32 << 20
MAX_COMPARISONS = 100_000
MAX_DEPTH = 400

_JOINT = re.compile(r"[\s)](?:and|or)[\s(]")


def expect_size(text: str) -> None:
    """Refuse a condition that is too long to be read in reasonable time; raises `FaultError`."""
    if len(text) > MAX_LENGTH:
        raise _large(f"the condition has {len(text):,} characters, at most {MAX_LENGTH:,}")
    if len(text) > MAX_COMPARISONS:
        joints = len(_JOINT.findall(text))
        if joints >= MAX_COMPARISONS:
            raise _large(f"the condition has {joints + 1:,} comparisons, at most {MAX_COMPARISONS:,}")


def expect_grown(tree: Node) -> None:
    """Refuse a condition that its macros make too large; raises `FaultError`."""
    size = fold(tree, lambda _leaf: 1, lambda _node, children: sum(children))
    if size > MAX_COMPARISONS:
        raise _large(f"with its macros the condition has {size:,} comparisons, at most {MAX_COMPARISONS:,}")
    _, depth = fold(tree, lambda _leaf: (Node, 0), _deeper)
    if depth > MAX_DEPTH:
        what = f"with its macros the condition is nested {depth:,} deep, at most {MAX_DEPTH:,}"
        raise refuse("E002", (0, 0), what, "name fewer macros inside of each other")


def _deeper(node: And | Or | Not, inside: list[tuple[object, int]]) -> tuple[object, int]:
    """Kind and depth of a group; groups of one kind in each other are one."""
    return type(node), max(depth + (kind is not type(node)) for kind, depth in inside)


def _large(message: str) -> FaultError:
    return refuse("E005", (0, 0), message, "put values into a list: `proc.name in (names)`")


@functools.lru_cache(maxsize=1024)
def regex_fault(pattern: str) -> str | None:
    """What the core says to a regular expression; None when it takes it."""
    from eyas import _core

    test = {"test": "regex", "left": {"field": "proc.name"}, "right": {"value": {"text": pattern}}}
    rule = {"id": 0, "name": "", "source": "syscall", "condition": test, "output": []}
    try:
        _core.Program(json.dumps({"ir": 1, "rules": [rule]}).encode())
    except _core.CoreError as error:
        return str(error).partition("invalid regular expression: ")[2] or str(error)
    return None
