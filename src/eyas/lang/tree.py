"""The tree of a condition: immutable values with their place in the text, and the canonical printer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from eyas.lang.diagnostics import Span

NOWHERE: Span = (0, 0)

_BARE = re.compile(r"[^\s\x00-\x20()\"'=,]+")
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
_SPECIAL = re.compile('[\x00-\x1f\x7f\\\\"\udc80-\udcff]')


@dataclass(frozen=True, slots=True)
class Text:
    """A constant; `bare` when it was not quoted. Bytes that are not UTF-8 are surrogate escapes."""

    value: str
    span: Span = field(default=NOWHERE, compare=False)
    bare: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A number among the arguments of a transformer, as written."""

    value: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field with its bracket argument."""

    name: str
    arg: str | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A transformer."""

    name: str
    args: tuple[Arg, ...]
    arg: str | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A list among the arguments of a transformer."""

    items: tuple[Arg, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Values:
    """A list of constants on the right side; `named` when it is a lone identifier."""

    items: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)
    named: bool = False
    starts: tuple[int, ...] = field(default=(), compare=False)


Arg = FieldRef | Call | Items | Text | Number
Operand = FieldRef | Call
Right = Text | Values | FieldRef | Call


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. A field on the right was written `val(field)`."""

    left: Operand
    op: str
    right: Right | None = None
    modifier: str | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A macro, by name."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    child: Node
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """Every child holds."""

    children: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Some child holds."""

    children: tuple[Node, ...]
    span: Span = field(default=NOWHERE, compare=False)


Node = And | Or | Not | Check | Name

T = TypeVar("T")


def fold(
    node: Node,
    leaf: Callable[[Check | Name], T],
    join: Callable[[And | Or | Not, list[T]], T],
    memo: dict[int, tuple[Node, T]] | None = None,
) -> T:
    """Compute a value bottom up without recursion.

    Shared subtrees are visited once; `memo` carries that over to other trees.
    """
    done: dict[int, tuple[Node, T]] = {} if memo is None else memo
    stack: list[Node] = [node]
    while stack:
        top = stack[-1]
        if id(top) in done:
            stack.pop()
            continue
        if isinstance(top, (Check, Name)):
            done[id(top)] = (top, leaf(top))
            stack.pop()
            continue
        children: tuple[Node, ...] = (top.child,) if isinstance(top, Not) else top.children
        missing = [child for child in children if id(child) not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        done[id(top)] = (top, join(top, [done[id(child)][1] for child in children]))
        stack.pop()
    return done[id(node)][1]


def checks_of(node: Node) -> list[Check]:
    """List the comparisons of a tree in order, shared ones once."""
    found: list[Check] = []

    def leaf(item: Check | Name) -> None:
        if isinstance(item, Check):
            found.append(item)

    fold(node, leaf, lambda _node, _children: None)
    return found


def canonical(node: Node) -> str:
    """Print a tree so that parsing the text gives the same tree."""
    return fold(node, _leaf_text, _group_text)


def quote(value: str, bare: bool = True) -> str:
    """Write a constant, quoted only where a bare word cannot say it."""
    if bare and _BARE.fullmatch(value) and not _SPECIAL.search(value):
        return value
    return '"' + _SPECIAL.sub(_escape, value) + '"'


def operand_text(operand: Arg) -> str:
    """Print a field or a transformer, as the key of an output shows it."""
    match operand:
        case FieldRef(name, arg):
            return name if arg is None else f"{name}[{_bracket(arg)}]"
        case Call(name, args, arg):
            inner = ", ".join(operand_text(a) for a in args)
            return f"{name}({inner})" + ("" if arg is None else f"[{_bracket(arg)}]")
        case Items(items):
            return "(" + ", ".join(operand_text(item) for item in items) + ")"
        case Number(value):
            return value
        case Text(value):
            return quote(value, bare=False)


def check_text(check: Check) -> str:
    """Print one comparison."""
    left = operand_text(check.left)
    match check.right:
        case None:
            return f"{left} {check.op}"
        case Values(items, named=named):
            inside = ", ".join(quote(item) for item in items)
            right = items[0] if named else f"({inside})"
            return f"{left} {check.op} {check.modifier + ' ' if check.modifier else ''}{right}"
        case Text(value):
            return f"{left} {check.op} {_constant(check.op, value)}"
        case FieldRef() as right_field:
            return f"{left} {check.op} val({operand_text(right_field)})"
        case Call() as call:
            return f"{left} {check.op} {operand_text(call)}"


def _constant(op: str, value: str) -> str:
    if op in ("<", "<=", ">", ">="):
        return value
    # A bare modifier word could be read as a modifier.
    return quote(value, bare=value not in ("oneof", "anyof", "allof"))


def _bracket(arg: str) -> str:
    return (
        arg
        if re.fullmatch(r"[^\s\x00-\x20\[\]\"'\\]+", arg) and not _SPECIAL.search(arg)
        else quote(arg, bare=False)
    )


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _ESCAPES.get(char) or f"\\x{code - 0xDC00 if code >= 0xDC80 else code:02x}"


def _leaf_text(node: Check | Name) -> str:
    return node.name if isinstance(node, Name) else check_text(node)


def _group_text(node: And | Or | Not, children: list[str]) -> str:
    if isinstance(node, Not):
        # `not not x` would fold away.
        return f"not ({children[0]})" if isinstance(node.child, Not) else f"not {children[0]}"
    word = " and " if isinstance(node, And) else " or "
    return "(" + word.join(children) + ")"
