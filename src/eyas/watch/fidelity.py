"""Which rules are complete, degraded or blind on this machine, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eyas import lang
from eyas.catalog import Catalog
from eyas.rules import Compiled


class Fidelity(StrEnum):
    """How much of a rule works here."""

    COMPLETE = "complete"
    DEGRADED = "degraded"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, how much of it works here, and what is missing."""

    rule: str
    fidelity: Fidelity
    reasons: tuple[str, ...] = ()


def findings(rules: Iterable[Compiled], catalog: Catalog, collected: Iterable[int]) -> list[Finding]:
    """Compare what rules need with what can be collected."""
    have = {catalog.events[number].name for number in collected}
    return [_finding(rule, catalog, have) for rule in rules]


def _finding(rule: Compiled, catalog: Catalog, have: set[str]) -> Finding:
    wanted = _wanted(rule, catalog)
    missing = sorted(wanted - have)
    reasons = [*_events_reason(missing, rule), *_field_reasons(rule, catalog)]
    if wanted and len(missing) == len(wanted):
        return Finding(rule.name, Fidelity.BLIND, tuple(reasons))
    return Finding(rule.name, Fidelity.DEGRADED if reasons else Fidelity.COMPLETE, tuple(reasons))


def _wanted(rule: Compiled, catalog: Catalog) -> set[str]:
    """Names of the system calls and process events that a rule can hold on; none when it holds on any."""
    if rule.events is None:
        return set()
    made = {
        "container",
        "asyncevent",
        "useradded",
        "userdeleted",
        "groupadded",
        "groupdeleted",
        "pluginevent",
    }
    current = (catalog.events[number] for number in rule.events)
    return {event.name for event in current if event.status == "current" and event.name not in made}


def _events_reason(missing: list[str], rule: Compiled) -> Iterator[str]:
    if missing and rule.events is not None:
        shown = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
        yield f"not collected here: {shown}"


def _field_reasons(rule: Compiled, catalog: Catalog) -> Iterator[str]:
    named = {name for check in lang.checks_of(rule.tree) for name in _names(check.left)}
    for name in sorted(named):
        known = catalog.fields.get(name)
        if known is not None and not known.available:
            yield f"{name} has no value: {known.why}"


def _names(operand: Any) -> Iterator[str]:
    """Names of the fields in an operand."""
    if isinstance(operand, lang.FieldRef):
        yield operand.name
    elif isinstance(operand, lang.Call):
        for inner in operand.args:
            yield from _names(inner)
