"""Checked tree and IR: the type of every comparison, constants of that type, all faults in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from eyas.catalog import Catalog
from eyas.lang import advice, operators
from eyas.lang.constants import ConstantError, Ir, constant, hex_bytes, text
from eyas.lang.diagnostics import Fault, FaultError, Span, refuse
from eyas.lang.operands import Typed, typed
from eyas.lang.regex import fault_of
from eyas.lang.tree import And, Call, Check, FieldRef, Name, Node, Not, Or, Text, Values, fold, operand_text

_HOST_FIELDS = frozenset({"fd.cip.name", "fd.sip.name", "fd.lip.name", "fd.rip.name"})
_HOST_OPS = frozenset({"=", "==", "!=", "in", "intersects"})


@dataclass(slots=True)
class Memo:
    """Results kept between conditions, so that a macro used in many rules is checked and lowered once."""

    checks: dict[int, tuple[Check, Ir | Fault, tuple[Fault, ...]]] = field(default_factory=dict)
    nodes: dict[int, tuple[Node, Ir]] = field(default_factory=dict)
    events: dict[int, tuple[Node, tuple[int, int]]] = field(default_factory=dict)


def check(node: Node, catalog: Catalog, memo: Memo | None = None) -> list[Fault]:
    """Find every fault and every advice in a condition, in order."""
    memo = memo or Memo()
    found: list[Fault] = []

    def leaf(item: Check | Name) -> None:
        if isinstance(item, Name):
            found.append(_unresolved(item).fault)
            return
        result, advices = _judge(item, catalog, memo)
        if isinstance(result, Fault):
            found.append(result)
        found.extend(advices)

    fold(node, leaf, lambda _node, _children: None)
    return found


def lower(node: Node, catalog: Catalog, memo: Memo | None = None) -> Ir:
    """Turn a condition into IR; raises `FaultError` with its first fault.

    Groups of one kind inside each other become one.
    """
    memo = memo or Memo()

    def leaf(item: Check | Name) -> Ir:
        if isinstance(item, Name):
            raise _unresolved(item)
        result, _ = _judge(item, catalog, memo)
        if isinstance(result, Fault):
            raise FaultError(result)
        return result

    return fold(node, leaf, _join, memo.nodes)


def _unresolved(item: Name) -> FaultError:
    return refuse("E106", item.span, f"undefined macro '{item.name}' used in filter")


def _join(node: And | Or | Not, children: list[Ir]) -> Ir:
    if isinstance(node, Not):
        inner = children[0].get("not")
        return inner if isinstance(inner, dict) else {"not": children[0]}
    word = "and" if isinstance(node, And) else "or"
    flat: list[Ir] = []
    for child in children:
        flat.extend(child.get(word, (child,)))
    return {word: flat}


def _judge(item: Check, catalog: Catalog, memo: Memo) -> tuple[Ir | Fault, tuple[Fault, ...]]:
    known = memo.checks.get(id(item))
    if known is None:
        result: Ir | Fault
        try:
            left = typed(item.left, catalog)
            result = _lower_check(item, left, catalog)
        except FaultError as error:
            result = error.fault
        known = (item, result, tuple(advice.advise(item, catalog)))
        memo.checks[id(item)] = known
    return known[1], known[2]


def _lower_check(item: Check, left: Typed, catalog: Catalog) -> Ir:
    _expect_operator(item, left)
    op = operators.NAMES[item.op]
    match item.right:
        case None:
            return {"test": op, "left": left.ir}
        case FieldRef() | Call() as right:
            return {"test": op, "left": left.ir, "right": _right_field(item, left, right, catalog).ir}
        case Values(values) as listed:
            return _lower_list(item, left, values, listed, catalog)
        case Text(value, span):
            converted = _convert(value, item, left, span, catalog)
            if isinstance(converted, float):
                return _between(op, left, converted)
            return {"test": op, "left": left.ir, "right": {"value": converted}}


def _expect_operator(item: Check, left: Typed) -> None:
    allowed = operators.allowed(left.kind, left.many)
    name = operand_text(item.left)
    if item.op not in allowed or (left.many and item.modifier):
        what = f"a list of {left.kind}" if left.many else left.exact
        able = ", ".join(op for op in operators.NAMES if op in allowed)
        raise refuse(
            "E201",
            item.span,
            f"'{item.op}' operator not supported for {name} of type {what}",
            f"it takes {able}",
        )
    if left.field is not None and left.field.name == "evt.around" and item.op not in ("=", "=="):
        raise refuse("E201", item.span, f"{left.field.name} supports only '='")


def _right_field(item: Check, left: Typed, right: FieldRef | Call, catalog: Catalog) -> Typed:
    if item.op in ("pmatch", "regex") or left.kind == "net":
        raise refuse("E207", right.span, f"'{item.op}' takes no field on the right side of type {left.exact}")
    if left.field is not None and left.field.name == "evt.type":
        raise refuse("E207", right.span, "evt.type can only be compared with names of events")
    found = typed(right, catalog)
    if found.field is not None and "no_rhs" in found.field.flags:
        raise refuse("E207", right.span, f"field {operand_text(right)} cannot stand on the right side")
    if found.exact != left.exact or found.many != left.many:
        sides = f"{_describe(left)} and {_describe(found)}"
        raise refuse("E206", item.span, f"the two sides of '{item.op}' have different types: {sides}")
    return found


def _describe(side: Typed) -> str:
    return f"list of {side.exact}" if side.many else side.exact


def _lower_list(item: Check, left: Typed, values: tuple[str, ...], listed: Values, catalog: Catalog) -> Ir:
    op = operators.NAMES[item.op]
    converted: list[Ir] = []
    for number, value in enumerate(values):
        start = listed.starts[number] if number < len(listed.starts) else listed.span[0]
        got = _convert(value, item, left, (start, start + max(1, len(value))), catalog)
        if isinstance(got, float):
            # No integer equals it. Under a modifier the count of members matters, so it stays refused there.
            if item.modifier:
                raise refuse("E202", listed.span, f"expected a number of type {left.exact}, found '{value}'")
            continue
        converted.append(got)
    ir: Ir = {"test": op, "left": left.ir, "values": converted}
    if item.modifier:
        ir["fold"] = item.modifier
    return ir


def _convert(value: str, item: Check, left: Typed, span: Span, catalog: Catalog) -> Ir | float:
    try:
        if left.field is not None:
            if left.field.name == "evt.type":
                return _event_name(value, span, catalog)
            if left.field.name in _HOST_FIELDS and item.op in _HOST_OPS:
                return {"host": text(value).get("text", value)}
        if item.op in operators.BYTE_OPS:
            return hex_bytes(value)
        if item.op == "regex":
            _expect_regex(value, span)
        return constant(value, left.kind, left.exact)
    except ConstantError as error:
        raise refuse(error.code, span, f"{operand_text(item.left)}: {error}", error.hint) from None


def _event_name(value: str, span: Span, catalog: Catalog) -> Ir:
    if not catalog.is_event(value):
        near = catalog.closest_event(value)
        raise refuse(
            "E102", span, f"unknown event type {value[:60]}", f"did you mean {near}?" if near else ""
        )
    return {"text": value}


def _expect_regex(pattern: str, span: Span) -> None:
    wrong = fault_of(pattern)
    if wrong is not None:
        raise refuse(
            "E205",
            span,
            f"invalid regular expression: {wrong[1]} at {wrong[0]}",
            "the syntax is that of RE2 in POSIX mode, as in egrep",
        )


def _between(op: str, left: Typed, number: float) -> Ir:
    """Compare an integer with a number between two integers."""
    exists: Ir = {"test": "exists", "left": left.ir}
    low = math.floor(number)
    lowest, highest = (-(2**63), 2**63 - 1) if left.kind == "int" else (0, 2**64 - 1)
    if op == "eq":
        return {"const": False}
    if op == "ne":
        return exists
    below = op in ("lt", "le")
    if low < lowest:
        return {"const": False} if below else exists
    if low >= highest:
        return exists if below else {"const": False}
    value = {"int" if left.kind == "int" else "uint": low}
    return {"test": "le" if below else "gt", "left": left.ir, "right": {"value": value}}
