"""Items of rule files as values: lists, macros, rules, exceptions, and the decoding of their YAML."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from eyas.rules.document import Document, is_null
from eyas.rules.grouping import SILENT_ON_IT, Grouping, seconds
from eyas.rules.problem import Place, Problem
from eyas.rules.text import Source

VALIDATE = "LOAD_ERR_YAML_VALIDATE"

PRIORITIES = (
    "Emergency",
    "Alert",
    "Critical",
    "Error",
    "Warning",
    "Notice",
    "Informational",
    "Debug",
)
_PRIORITY = {name.lower(): number for number, name in enumerate(PRIORITIES)} | {"info": 6}

_TRUE = re.compile(r"(?i)y|yes|true|on")
_FALSE = re.compile(r"(?i)n|no|false|off")


class RefusedError(Exception):
    """Carries the problems of one item; the items after it are still read."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


@dataclass(slots=True)
class ListItem:
    """A list and its members, as written."""

    name: str
    items: list[str]
    place: Place
    first: int = 0
    last: int = 0
    used: bool = False


@dataclass(slots=True)
class Macro:
    """A named condition."""

    name: str
    condition: Source
    place: Place
    first: int = 0
    last: int = 0
    used: bool = False
    file: int = 0


@dataclass(slots=True)
class ValueSet:
    """Values for which a rule does not hold."""

    name: str
    fields: list[str]
    comps: list[str]
    values: list[Any]
    scalar: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Example:
    """A test of a rule: a scene, and whether the rule holds in it."""

    name: str
    catches: bool
    events: Source
    place: Place
    output: str = ""


@dataclass(slots=True)
class Rule:
    """A rule as it stands after all files."""

    name: str
    condition: Source
    output: Source
    desc: str
    priority: int
    place: Place
    source: str = "syscall"
    enabled: bool = True
    capture: bool = False
    capture_duration: int = 0
    warn_evttypes: bool = True
    skip_if_unknown: bool = False
    tags: set[str] = field(default_factory=set)
    exceptions: dict[str, ValueSet] = field(default_factory=dict)
    tests: list[Example] = field(default_factory=list)
    grouping: Grouping = SILENT_ON_IT
    file: int = 0
    torn: bool = False  # its item has a fault: what is there of it is checked, and never runs


@dataclass(slots=True)
class Item:
    """One mapping of a rule file, with typed access to its keys."""

    document: Document
    node: yaml.MappingNode
    keys: dict[str, yaml.Node]
    kind: str
    name: str

    @property
    def place(self) -> Place:
        """Where the item begins."""
        return self.document.place(self.node.start_mark)

    def refuse(
        self, message: str, key: str | None = None, code: str = VALIDATE, help: str = ""
    ) -> RefusedError:
        """Make the exception that carries a problem of this item."""
        node = self.keys.get(key) if key else None
        place = self.document.place(node.start_mark) if node is not None else self.place
        return RefusedError(Problem(code, message, place, items=((self.kind, self.name),), help=help))

    def warn(self, code: str, message: str, key: str | None = None, help: str = "") -> Problem:
        """Make a warning about this item."""
        problem = self.refuse(message, key, code, help).problems[0]
        return Problem(problem.code, problem.message, problem.place, "warning", help, "", problem.items)

    def gather(self, readers: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[Problem]]:
        """What the readers give, and the problems of those that refuse."""
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, reader in readers.items():
            try:
                values[name] = reader()
            except RefusedError as refused:
                problems += refused.problems
        return values, problems

    def scalar(self, key: str) -> str:
        """A required non-empty scalar."""
        node = self.keys.get(key)
        if node is None:
            raise self.refuse(f"Item has no mapping for key '{key}'")
        if is_null(node):
            raise self.refuse(f"Mapping for key '{key}' is empty", key)
        if not isinstance(node, yaml.ScalarNode):
            raise self.refuse(f"Value of '{key}' is not a scalar value", key)
        if node.value == "":
            raise self.refuse(f"Value of '{key}' must be non-empty", key)
        return str(node.value)

    def source(self, key: str) -> Source:
        """A text whose characters are located."""
        text = self.scalar(key)
        node = self.keys[key]
        return Source.of(text, lambda offset: self.document.inside(node, offset))

    def flag(self, key: str, default: bool) -> bool:
        """An optional boolean."""
        if key not in self.keys:
            return default
        text = self.scalar(key)
        if _TRUE.fullmatch(text):
            return True
        if _FALSE.fullmatch(text):
            return False
        raise self.refuse(
            f"Can't decode YAML scalar value of '{key}': '{text}'", key, help="expected true or false"
        )

    def number(self, key: str, default: int) -> int:
        """An optional number from 0 to 2^32 - 1."""
        if key not in self.keys:
            return default
        text = self.scalar(key)
        if not text.isdecimal() or int(text) >= 2**32:
            raise self.refuse(
                f"Can't decode YAML scalar value of '{key}': '{text}'", key, help="expected a number"
            )
        return int(text)

    def duration(self, key: str, default: float | None) -> float | None:
        """An optional duration in seconds, written as `90s` or `1h30m`."""
        if key not in self.keys:
            return default
        try:
            return seconds(self.scalar(key))
        except ValueError as error:
            raise self.refuse(f"Value of '{key}': {error}", key) from None

    def grouping(self, old: Grouping) -> Grouping:
        """What the rule says about repeats; keys that it does not have stay as they were."""
        has = self.keys
        return Grouping(
            group_by=tuple(self.sequence("group_by")) if "group_by" in has else old.group_by,
            threshold=max(1, self.number("threshold", 1)) if "threshold" in has else old.threshold,
            window=self.duration("window", old.window),
            quiet=self.duration("quiet", old.quiet),
        )

    def sequence(self, key: str) -> list[str]:
        """A sequence of scalars."""
        node = self.keys.get(key)
        if node is None:
            raise self.refuse(f"Item has no mapping for key '{key}'")
        if not isinstance(node, yaml.SequenceNode):
            raise self.refuse(f"Value of '{key}' is not a sequence", key)
        for entry in node.value:
            if not isinstance(entry, yaml.ScalarNode) or is_null(entry):
                raise self.refuse(f"sequence value of '{key}' is not scalar", key)
        return [str(entry.value) for entry in node.value]

    def priority(self, key: str = "priority") -> int:
        """A priority by name."""
        text = self.scalar(key)
        number = _PRIORITY.get(text.lower())
        if number is None:
            raise self.refuse(
                f"Invalid priority '{text}'",
                key,
                help="expected one of " + ", ".join(name.lower() for name in PRIORITIES),
            )
        return number

    def unknown(self, allowed: Iterable[str]) -> list[Problem]:
        """Warnings for keys that the kind of item does not have."""
        known = list(allowed)
        return [self._unknown_key(key, known) for key in self.keys if key not in known]

    def _unknown_key(self, key: str, known: list[str]) -> Problem:
        near = difflib.get_close_matches(key[:64], known, 1, 0.6)
        hint = f"did you mean '{near[0]}'?" if near else f"a {self.kind} has {', '.join(known)}"
        problem = self.warn("LOAD_UNKNOWN_KEY", f"Unknown key '{key}'", key, hint)
        place = next(self.document.place(k.start_mark) for k, _ in self.node.value if k.value == key)
        return replace(problem, place=place)


def plain(node: yaml.Node) -> Any:
    """A node as Python values; scalars stay text."""
    if isinstance(node, yaml.SequenceNode):
        return [plain(entry) for entry in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): plain(value) for key, value in node.value}
    return None if is_null(node) else str(node.value)


def mapping(document: Document, node: yaml.MappingNode, problems: list[Problem]) -> dict[str, yaml.Node]:
    """Keys of a mapping; a repeated key is a problem and its last value counts."""
    keys: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if name in keys:
            place = document.place(key.start_mark)
            problems.append(
                Problem(VALIDATE, f"duplicate key '{name}'", place, "error", "remove one of the two")
            )
        keys[name] = value
    return keys
