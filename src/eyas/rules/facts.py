"""What must be true of a call for a condition to hold, as far as the kernel can tell: always on the safe side.

A need is a conjunction of clauses, each a disjunction of facts. No clause at all: nothing is needed. An empty clause:
the condition never holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import product
from typing import Any, NamedTuple

from eyas.lang import And, Check, FieldRef, Name, Node, Not, fold
from eyas.rules.suppose import Supposed, answer, values_of

# What the kernel side can hold of a call.
MOST_CLAUSES = 4
MOST_FACTS = 24

_EQUAL = ("=", "==", "in")
_HOST = "host"
_PORTS = ("fd.sport", "fd.cport", "fd.lport", "fd.rport", "fd.port")
# Calls that say both ends of their socket (`Test::Ports` of the probe).
_WITH_PORTS = (
    "connect", "accept", "accept4", "bind", "listen", "sendto", "sendmsg", "recvfrom", "recvmsg",
)  # fmt: skip
# What only a process in a container has.
_OF_CONTAINERS = ("container.name", "container.image", "container.full_id", "k8s.", "k8smeta.")
_COMPARED = ("=", "==", "in", "startswith", "contains", "endswith")
_NUMBERS = ("int8", "int16", "int32", "int64", "pid", "uint8", "uint16", "uint32", "uint64", "sigtype")
_WORDS = ("enumflags8", "enumflags16", "enumflags32", "sigtype")
_FLAGS = ("flags8", "flags16", "flags32", "mode")
# Flags of opens are judged by the sieve.
_OPENS = ("open", "openat", "openat2", "creat", "open_by_handle_at")


class Fact(NamedTuple):
    """One thing that the kernel can test: its kind, what it is about, and a value."""

    kind: str
    of: str = ""
    value: Any = None


Clause = frozenset[Fact]
Needs = frozenset[Clause]
Test = str | dict[str, Any]

NOTHING: Needs = frozenset()
NEVER: Needs = frozenset((frozenset(),))
SUCCEEDED = Fact("succeeded")
FAILED = Fact("failed")


def one_of(*facts: Fact) -> Needs:
    """One of these must be true."""
    return frozenset((frozenset(facts),))


def both(needs: Iterable[Needs]) -> Needs:
    """What is needed for all of several to hold."""
    return _kept(clause for need in needs for clause in need)


def either(needs: Iterable[Needs]) -> Needs:
    """What is needed for any of several to hold."""
    return reduce(lambda one, other: _kept(a | b for a, b in product(one, other)), needs, NEVER)


def needs(node: Node, supposed: Supposed) -> Needs:
    """What must be true of such a call for the condition to hold."""
    return fold(node, lambda leaf: _leaf(leaf, supposed), _join)[0]


def tests(need: Needs) -> tuple[Test, ...]:
    """The clauses in the form that the probe reads."""
    return tuple(_test(clause) for clause in sorted(need, key=_order))


def _kept(clauses: Iterable[Clause]) -> Needs:
    kept: list[Clause] = []
    for clause in sorted({*clauses}, key=_order):
        if any(less <= clause for less in kept):
            continue
        if len(clause) <= MOST_FACTS and not _always(clause):
            kept.append(clause)
    return frozenset(kept[:MOST_CLAUSES])


def _order(clause: Clause) -> tuple[int, list[str]]:
    return len(clause), sorted(map(str, clause))


def _always(clause: Clause) -> bool:
    others = {fact.value for fact in clause if fact.kind == "other_user"}
    users = {fact.value for fact in clause if fact.kind == "user"}
    return {SUCCEEDED, FAILED} <= clause or len(others) > 1 or bool(others & users)


# What is needed for a part to hold, and for its negation.
_Both = tuple[Needs, Needs]


def _join(node: Node, children: list[_Both]) -> _Both:
    if isinstance(node, Not):
        return children[0][1], children[0][0]
    holds, fails = [child[0] for child in children], [child[1] for child in children]
    return (both(holds), either(fails)) if isinstance(node, And) else (either(holds), both(fails))


def _leaf(item: Check | Name, supposed: Supposed) -> _Both:
    said = answer(item, supposed)
    if said is not None:
        return (NOTHING, NEVER) if said else (NEVER, NOTHING)
    if not isinstance(item, Check) or not isinstance(item.left, FieldRef):
        return NOTHING, NOTHING
    values = values_of(item)
    return (NOTHING, NOTHING) if values is None else _of(item.left, item.op, values, supposed)


def _of(left: FieldRef, op: str, values: tuple[str, ...], supposed: Supposed) -> _Both:
    name = left.name
    if name == "user.uid":
        return _user(op, values)
    if name == "container.id" or name.startswith(_OF_CONTAINERS):
        return _place(name, op, values)
    if name == "proc.name" and op in _EQUAL:
        return one_of(*(Fact("named", "", value) for value in values)), NOTHING
    if name in _PORTS and op in _EQUAL and supposed.call in _WITH_PORTS:
        return _facts("ports", "", _numbers(values, range(1, 1 << 16))), NOTHING
    param = supposed.param(left)
    return (NOTHING if param is None else _argument(*param, left, op, values, supposed)), NOTHING


def _user(op: str, values: tuple[str, ...]) -> _Both:
    users = _numbers(values, range(1 << 32))
    others = one_of(Fact("other_user", "", users[0])) if users and len(users) == 1 else NOTHING
    if op in _EQUAL:
        return _facts("user", "", users), others
    return (others, _facts("user", "", users)) if op == "!=" else (NOTHING, NOTHING)


def _place(name: str, op: str, values: tuple[str, ...]) -> _Both:
    inside = one_of(Fact("contained"))
    if name in ("container.id", "container.full_id", "container.name") and _HOST in values:
        if op == "!=":
            return inside, NOTHING
        return NOTHING, inside if op in _EQUAL else NOTHING
    told = op in _EQUAL if name == "container.id" else op in _COMPARED
    return (inside if told and "" not in values else NOTHING), NOTHING


def _argument(
    param: str, kind: str, left: FieldRef, op: str, values: tuple[str, ...], supposed: Supposed
) -> Needs:
    """A comparison with a parameter of the event."""
    if left.name.startswith("evt.rawarg"):
        plain = op in _EQUAL and kind in _NUMBERS
        return _facts("number", param, _numbers(values) if plain else None)
    if op in _EQUAL and kind in _WORDS:
        return _facts("text", param, values)
    if op == "contains" and kind in _FLAGS and supposed.call not in _OPENS:
        return _facts("contains", param, values if all("_" in value for value in values) else None)
    return NOTHING


def _facts(kind: str, of: str, values: Iterable[Any] | None) -> Needs:
    return NOTHING if values is None else one_of(*(Fact(kind, of, value) for value in values))


def _numbers(values: Iterable[str], allowed: range = range(-1 << 63, 1 << 63)) -> list[int] | None:
    try:
        numbers = [int(value) for value in values]
    except ValueError:
        return None
    return numbers if all(number in allowed for number in numbers) else None


def _test(clause: Clause) -> Test:
    groups: dict[tuple[str, str], list[Any]] = {}
    for fact in sorted(clause, key=str):
        groups.setdefault((fact.kind, fact.of), []).append(fact.value)
    found = [_worded(kind, of, values) for (kind, of), values in groups.items()]
    return found[0] if len(found) == 1 else {"any": found}


def _worded(kind: str, of: str, values: list[Any]) -> Test:
    if values == [None]:
        return kind
    if kind == "family":
        return {kind: [0, values[0]]}
    if kind == "other_user":
        return {kind: values[0]}
    listed = sorted(values)
    return {kind: [of, listed]} if of else {kind: listed}
