"""A rule that the core can run: what its text came to, and what a match of it brings along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eyas.lang import Node, Template
from eyas.rules.additions import NOTHING_MORE, Extras
from eyas.rules.grouping import SILENT_ON_IT, Grouping
from eyas.rules.items import PRIORITIES, Example
from eyas.rules.problem import Place


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready to run."""

    name: str
    desc: str
    priority: int
    source: str
    tags: tuple[str, ...]
    enabled: bool
    capture: bool
    capture_duration: int
    condition_text: str
    output_text: str
    condition: dict[str, Any]
    tree: Node
    template: Template
    events: frozenset[int] | None
    place: Place
    tests: tuple[Example, ...] = ()
    exceptions: tuple[str, ...] = ()
    grouping: Grouping = SILENT_ON_IT
    carried: tuple[tuple[str, int], ...] = ()  # fields beside those of the output, each with its operand
    operands: tuple[dict[str, Any], ...] = ()  # all that a match brings along
    extras: Extras = NOTHING_MORE  # what the configuration adds to `output_fields`
    base64: bool = False  # whether its output shows buffers as base64

    @property
    def fields(self) -> set[str]:
        """Fields that the condition asks."""
        return _asked(self.condition)

    @property
    def priority_name(self) -> str:
        """`Emergency` to `Debug`."""
        return PRIORITIES[self.priority]


def _asked(node: Any) -> set[str]:
    if isinstance(node, list):
        return {field for member in node for field in _asked(member)}
    if not isinstance(node, dict):
        return set()
    own = {node["field"]} if isinstance(node.get("field"), str) else set()
    return own.union(*(_asked(member) for member in node.values()))
