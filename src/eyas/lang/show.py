"""IR for people: one line a test, groups indented."""

from __future__ import annotations

import json

from eyas.lang.constants import Ir
from eyas.lang.operators import SPELLING

_WORDS = {"and": "all of", "or": "any of", "not": "not"}


def show(ir: Ir) -> str:
    """Print a lowered condition."""
    lines: list[str] = []
    stack: list[tuple[int, Ir]] = [(0, ir)]
    while stack:
        depth, node = stack.pop()
        word = next((w for w in _WORDS if w in node), None)
        if word is None:
            lines.append("  " * depth + show_test(node))
            continue
        lines.append("  " * depth + _WORDS[word])
        inside = [node[word]] if word == "not" else node[word]
        stack.extend((depth + 1, child) for child in reversed(inside))
    return "\n".join(lines)


def show_test(node: Ir) -> str:
    """Print one test."""
    if "const" in node:
        return "always" if node["const"] else "never"
    op = SPELLING.get(node["test"], node["test"])
    left = show_operand(node["left"])
    if "values" in node:
        inside = ", ".join(show_value(value) for value in node["values"])
        fold = f" {node['fold']}" if "fold" in node else ""
        return f"{left} {op}{fold} ({inside})"
    return f"{left} {op} {show_operand(node['right'])}" if "right" in node else f"{left} {op}"


def show_operand(operand: Ir) -> str:
    """Print a field, a transformer, a list or a value."""
    if "field" in operand:
        return str(operand["field"]) + (f"[{operand['arg']}]" if "arg" in operand else "")
    if "call" in operand:
        inside = ", ".join(show_operand(arg) for arg in operand["args"])
        return f"{operand['call']}({inside})" + (f"[{operand['arg']}]" if "arg" in operand else "")
    if "list" in operand:
        return "(" + ", ".join(show_operand(item) for item in operand["list"]) + ")"
    return show_value(operand["value"])


def show_value(value: Ir) -> str:
    """Print a constant."""
    kind, inside = next(iter(value.items()))
    if kind == "text":
        return json.dumps(inside, ensure_ascii=False)
    if kind == "bytes":
        return f"bytes {inside}"
    return str(inside).lower() if kind == "bool" else str(inside)
