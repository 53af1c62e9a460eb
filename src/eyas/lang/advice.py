"""Advice on conditions that compile: what is probably not meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eyas.catalog import Catalog
from eyas.lang.diagnostics import Fault, fault
from eyas.lang.operands import fields_of
from eyas.lang.parse import TRANSFORMERS
from eyas.lang.regex import simpler
from eyas.lang.tree import Call, Check, FieldRef, Text, Values

# Deprecated fields that are reported; other old names still load in silence.
REPORTED = frozenset(
    {"evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency"}
)

_CALL = re.compile(rf"(?:{'|'.join((*TRANSFORMERS, 'val'))})\(")
_NA_OPS = frozenset({"=", "==", "!=", "in", "intersects", "pmatch"})


def advise(check: Check, catalog: Catalog) -> Iterator[Fault]:
    """List the advice for one comparison."""
    yield from _deprecated(check)
    right = check.right
    if isinstance(right, Text):
        yield from _constant(check, right.value, right.span, catalog)
        if check.op == "regex":
            yield from _regex(right)
    elif isinstance(right, Values):
        for start, item in zip(right.starts, right.items, strict=False):
            if "." in item or "(" in item or item == "<NA>":
                yield from _constant(check, item, (start, start + len(item)), catalog)


def _deprecated(check: Check) -> Iterator[Fault]:
    refs = fields_of(check.left)
    if isinstance(check.right, (FieldRef, Call)):
        refs += fields_of(check.right)
    for ref in refs:
        if ref.name in REPORTED:
            yield fault(
                "W103", ref.span, f"field {ref.name} is deprecated", "it has no meaning in current events"
            )


def _constant(check: Check, value: str, span: tuple[int, int], catalog: Catalog) -> Iterator[Fault]:
    if "." in value and value in catalog.fields:
        yield fault(
            "W101", span, f"'{value}' is compared as text, yet it names a field", f"write val({value})"
        )
    elif "(" in value and _CALL.match(value):
        yield fault(
            "W101",
            span,
            f"'{value[:40]}' is compared as text, yet it looks like a transformer",
            "remove the quotes",
        )
    if value == "<NA>" and check.op in _NA_OPS and isinstance(check.left, FieldRef):
        name = check.left.name
        if name.startswith(("ka.", "jevt.")):
            yield fault("W104", span, f"comparing {name} with <NA> is unsafe", "use `not … exists`")


def _regex(right: Text) -> Iterator[Fault]:
    plain = simpler(right.value)
    if plain is not None:
        yield fault("W102", right.span, f"'regex' does here what '{plain}' does faster", f"use '{plain}'")
