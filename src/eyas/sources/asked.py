"""What rules ask of a source: its fields with their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any

from eyas.rules import Compiled


@dataclass(frozen=True, slots=True)
class Asked:
    """What rules ask of a source: fields with their arguments, and whether an event in one line."""

    fields: tuple[tuple[str, str | int | None], ...] = ()
    info: bool = False


def asked_of(rules: Iterable[Compiled], source: str, known: Set[str]) -> Asked:
    """What the rules of a source ask of the known fields."""
    found: dict[tuple[str, str | int | None], None] = {}
    for rule in rules:
        if rule.source == source:
            found.update(dict.fromkeys(_fields([rule.condition, *rule.operands, *rule.template.operands])))
    info = ("evt.plugininfo", None) in found
    return Asked(tuple(one for one in found if one[0] in known), info)


def _fields(ir: Any) -> Iterator[tuple[str, str | int | None]]:
    """Fields in IR, each with its argument."""
    if isinstance(ir, list):
        for one in ir:
            yield from _fields(one)
    elif isinstance(ir, dict):
        if isinstance(ir.get("field"), str):
            yield ir["field"], ir.get("arg")
        for one in ir.values():
            yield from _fields(one)
