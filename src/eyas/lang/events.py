"""Which event types a condition can match, so that a rule is only asked about those."""

from __future__ import annotations

from eyas.catalog import GENERIC_IDS, Catalog
from eyas.lang.check import Memo
from eyas.lang.constants import ConstantError, constant
from eyas.lang.tree import And, Check, FieldRef, Name, Node, Not, Text, Values, fold

_NAMES = ("evt.type", "syscall.type")
# A set of ids is a bit mask, and each condition has two: where it can hold and where its negation can.
Masks = tuple[int, int]


def events_of(node: Node, catalog: Catalog, memo: Memo | None = None) -> frozenset[int] | None:
    """Ids of the events a condition can match; None stands for all."""
    every = (1 << (catalog.events[-1].id + 1)) - 1 if catalog.events else 1

    def leaf(item: Check | Name) -> Masks:
        return _leaf(item, catalog, every)

    mask = fold(node, leaf, _join, memo.events if memo else None)[0]
    if mask == every:
        return None
    return frozenset(event.id for event in catalog.events if mask >> event.id & 1)


def _join(node: Node, children: list[Masks]) -> Masks:
    if isinstance(node, Not):
        return children[0][1], children[0][0]
    holds, fails = children[0]
    for child in children[1:]:
        if isinstance(node, And):
            holds, fails = holds & child[0], fails | child[1]
        else:
            holds, fails = holds | child[0], fails & child[1]
    return holds, fails


def _leaf(item: Check | Name, catalog: Catalog, every: int) -> Masks:
    if isinstance(item, Check) and isinstance(item.left, FieldRef):
        if item.left.name in _NAMES:
            return _types(item, catalog, every)
        if item.left.name == "evt.num" and _never(item):
            return 0, every
    return every, every


def _types(item: Check, catalog: Catalog, every: int) -> Masks:
    match item.right:
        case Text(value) if item.op in ("=", "==", "!="):
            values: tuple[str, ...] = (value,)
        case Values(values) if item.op == "in" or (item.op in ("=", "==") and item.modifier == "anyof"):
            pass
        case _:
            return every, every
    named = 0
    for value in values:
        for number in catalog.ids.get(value, ()):
            named |= 1 << number
    # Generic and asynchronous events carry their name inside, so another name can always stand there.
    shared = sum(1 << n for n in GENERIC_IDS) | sum(1 << n for n in catalog.ids.get("asyncevent", ()))
    others = every & ~(named & ~shared)
    return (others, named) if item.op == "!=" else (named, others)


def _never(item: Check) -> bool:
    """Whether `evt.num`, which starts at 1, is compared so that it cannot hold."""
    if not isinstance(item.right, Text) or item.op not in ("=", "==", "<", "<="):
        return False
    try:
        number = constant(item.right.value, "uint", "uint64")
    except ConstantError:
        return False
    return isinstance(number, dict) and number["uint"] == 0
