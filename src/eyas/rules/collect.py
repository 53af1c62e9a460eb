"""Definitions of all files in order: what is defined, appended to, overridden or switched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from eyas.catalog import Version
from eyas.rules import examples, exceptions, grouping
from eyas.rules.document import Document, is_null
from eyas.rules.items import PRIORITIES, Item, ListItem, Macro, RefusedError, Rule, mapping, plain
from eyas.rules.problem import Problem
from eyas.rules.text import Source

ENGINE_VERSION = (0, 63, 0)
PLUGINS = {"container": (0, 7, 1), "k8smeta": (0, 4, 1), "json": (0, 7, 3)}

_VALIDATE = "LOAD_ERR_VALIDATE"
_KINDS = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")
_PLUGIN_KEYS = ("name", "version")
_LIST_NAME = re.compile(r"[^()\"'\s=,]+")
_MACRO_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_APPENDABLE = ("condition", "output", "desc", "tags", "exceptions")
_REPLACEABLE = (
    *_APPENDABLE, "priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration",
    *grouping.KEYS,
)  # fmt: skip
# What a rule has in place of what its item lacks.
_ABSENT = {"condition": Source(), "output": Source(), "desc": "", "priority": len(PRIORITIES) - 1}
_RULE_KEYS = ("rule", "source", "append", "override", "tests", *_REPLACEABLE)


@dataclass(slots=True)
class Collected:
    """Everything defined so far."""

    lists: dict[str, ListItem] = field(default_factory=dict)
    macros: dict[str, Macro] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    engine_version: tuple[int, int, int] = (0, 0, 0)
    plugins: list[dict[str, Any]] = field(default_factory=list)
    plugin: Callable[[str], Version | None] = field(default=lambda _name: None)
    clock: int = 0
    file: int = 0

    def add(self, document: Document) -> None:
        """Take the items of a file, in order; a faulty item is left out."""
        self.problems.extend(document.problems)
        for node in document.items:
            self.clock += 1
            keys = mapping(document, node, self.problems)
            kind = next((kind for kind in _KINDS if kind in keys), None)
            name = str(keys[kind].value) if kind and isinstance(keys[kind], yaml.ScalarNode) else ""
            item = Item(document, node, keys, kind or "extension item", name)
            try:
                self._take(item, kind)
            except RefusedError as refused:
                self.problems.extend(refused.problems)
        self.file += 1

    def _take(self, item: Item, kind: str | None) -> None:
        match kind:
            case "rule":
                self._rule(item)
            case "macro":
                self._macro(item)
            case "list":
                self._list(item)
            case "required_engine_version":
                self._engine(item)
            case "required_plugin_versions":
                self._plugins(item)
            case _:
                keys = ", ".join(item.keys)
                near = next(filter(None, (_closest(key, _KINDS) for key in item.keys)), None)
                hint = f"did you mean {near!r}?" if near else f"one of {', '.join(_KINDS)}"
                what = f"Unknown top level item with keys: {keys}"
                self.problems.append(item.warn("LOAD_UNKNOWN_ITEM", what, help=hint))

    def _engine(self, item: Item) -> None:
        text = item.scalar("required_engine_version")
        version = (0, int(text), 0) if text.isdecimal() else _version(text)
        if version is None:
            raise item.refuse(f"Unable to parse engine version '{text}' as a semver string", item.kind)
        if version[0] != ENGINE_VERSION[0] or version > ENGINE_VERSION:
            have = ".".join(map(str, ENGINE_VERSION))
            raise item.refuse(
                f"Rules require engine version {text}, but engine version is {have}", item.kind, _VALIDATE
            )
        self.engine_version = max(self.engine_version, version)

    def _plugins(self, item: Item) -> None:
        entries = plain(item.keys[item.kind])
        if not isinstance(entries, list):
            raise item.refuse(f"Value of '{item.kind}' is not a sequence", item.kind)
        for entry in entries:
            if not isinstance(entry, dict):
                raise item.refuse("Plugin version must be a mapping with name and version", item.kind)
            others = entry.get("alternatives") or []
            if not isinstance(others, list) or not all(isinstance(one, dict) for one in others):
                raise item.refuse("Plugin alternatives must be mappings with name and version", item.kind)
            wanted = [entry, *others]
            if not all(isinstance(one.get(key), str) and one[key] for one in wanted for key in _PLUGIN_KEYS):
                raise item.refuse("Plugin version must have name and version", item.kind)
            names = [one.get("name") for one in wanted]
            if len(set(names)) < len(names):
                raise item.refuse("Plugin is required twice", item.kind, _VALIDATE)
            shown = ", ".join(f"{one.get('name')} (>= {one.get('version')})" for one in wanted)
            if not any(self._satisfied(item, one) for one in wanted):
                what = f"Plugin requirement not satisfied, must load one of: {shown}"
                raise item.refuse(what, item.kind, _VALIDATE)
            self.plugins.append(entry)

    def _satisfied(self, item: Item, wanted: dict[str, str]) -> bool:
        name, text = wanted["name"], wanted["version"]
        version = _version(text)
        if version is None:
            raise item.refuse(f"Unable to parse plugin version '{text}'", item.kind, _VALIDATE)
        have = PLUGINS.get(name) or self.plugin(name)
        return have is not None and have[0] == version[0] and have >= version

    def _list(self, item: Item) -> None:
        name = item.scalar("list")
        items = item.sequence("items")
        self.problems += item.unknown(("list", "items", "append", "override"))
        override = self._override(item, ("items",), ("items",))
        append = item.flag("append", False)
        if append:
            self._deprecated_append(item)
        if append or "items" in override["append"]:
            known = self.lists.get(name)
            if known is None:
                raise item.refuse(
                    f"List '{name}' has 'append' but no list by that name already exists", code=_VALIDATE
                )
            known.items += items
            known.last = self.clock
            return
        if not _LIST_NAME.fullmatch(name):
            self.problems.append(
                item.warn("LOAD_INVALID_LIST_NAME", f"List has an invalid name '{name}'", "list")
            )
        first = self.lists[name].first if name in self.lists else self.clock
        self.lists[name] = ListItem(name, items, item.place, first, self.clock)

    def _macro(self, item: Item) -> None:
        name = item.scalar("macro")
        condition = item.source("condition")
        self.problems += item.unknown(("macro", "condition", "append", "override", "desc"))
        override = self._override(item, ("condition",), ("condition",))
        append = item.flag("append", False)
        if append:
            self._deprecated_append(item)
        if append or "condition" in override["append"]:
            known = self.macros.get(name)
            if known is None:
                raise item.refuse(
                    f"Macro '{name}' has 'append' but no macro by that name already exists", code=_VALIDATE
                )
            known.condition = known.condition.joined(condition)
            known.last = self.clock
            return
        if not _MACRO_NAME.fullmatch(name):
            self.problems.append(
                item.warn("LOAD_INVALID_MACRO_NAME", f"Macro has an invalid name '{name}'", "macro")
            )
        old = self.macros.get(name)
        first, file = (old.first, old.file) if old else (self.clock, self.file)
        self.macros[name] = Macro(name, condition, item.place, first, self.clock, file=file)

    def _deprecated_append(self, item: Item) -> None:
        what = "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
        self.problems.append(item.warn("LOAD_DEPRECATED_ITEM", what, "append"))

    def _override(
        self, item: Item, appendable: tuple[str, ...], replaceable: tuple[str, ...]
    ) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"append": [], "replace": []}
        node = item.keys.get("override")
        if node is None:
            return found
        if not isinstance(node, yaml.MappingNode):
            raise item.refuse("Value of 'override' is not a mapping", "override")
        if item.flag("append", False):
            what = "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry under override instead."
            raise item.refuse(what, "append")
        operations: dict[str, Any] = plain(node)
        faults = [
            problem
            for key, operation in operations.items()
            for problem in _override_faults(item, key, operation, appendable, replaceable)
        ]
        for key in item.keys:
            if key in replaceable and key not in operations:
                what = f"Unexpected key '{key}': no corresponding entry under 'override' is defined."
                faults += item.refuse(what, key).problems
        if faults:
            raise RefusedError(*faults)
        for key, operation in operations.items():
            found[operation].append(key)
        return found

    def _rule(self, item: Item) -> None:
        name = item.scalar("rule")
        self.problems += item.unknown(_RULE_KEYS)
        override = self._override(item, _APPENDABLE, _REPLACEABLE)
        if override["append"] or override["replace"]:
            return self._change(item, name, override)
        if item.flag("append", False):
            self._deprecated_append(item)
            keys: list[str] = [key for key in ("condition", "exceptions") if key in item.keys]
            if not keys:
                raise item.refuse("Appended rule must have exceptions or condition property", code=_VALIDATE)
            return self._change(item, name, {"append": keys, "replace": []})
        needed = ("condition", "output", "desc", "priority")
        if not any(key in item.keys for key in needed):
            return self._switch(item, name)
        self._define(item, name)
        return None

    def _switch(self, item: Item, name: str) -> None:
        enabled = item.keys.get("enabled")
        if enabled is None:
            raise item.refuse("Item has no mapping for key 'condition'")
        value = item.flag("enabled", True)
        what = (
            "The standalone 'enabled' key usage is deprecated. The correct approach requires also a "
            "'replace' entry under the 'override' key (i.e. 'enabled: replace')."
        )
        self.problems.append(item.warn("LOAD_DEPRECATED_ITEM", what, "enabled"))
        self._known(item, name, "enabled").enabled = value

    def _known(self, item: Item, name: str, operation: str) -> Rule:
        rule = self.rules.get(name)
        if rule is None:
            what = f"Rule '{name}' has '{operation}' key but no rule by that name already exists"
            near = _closest(name, self.rules)
            raise item.refuse(what, "rule", _VALIDATE, f"did you mean {near!r}?" if near else "")
        return rule

    def _source(self, item: Item) -> str | None:
        node = item.keys.get("source")
        if node is None or is_null(node) or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            return None
        return item.scalar("source")

    def _same_source(self, item: Item, rule: Rule) -> None:
        source = self._source(item)
        if source is not None and source != rule.source:
            raise item.refuse("Rule has been re-defined with a different source", "source", _VALIDATE)

    def _define(self, item: Item, name: str) -> None:
        old = self.rules.get(name)
        if old is not None:
            self._same_source(item, old)
        tests, complaints = examples.read(item)
        self.problems += complaints
        readers: dict[str, Callable[[], Any]] = {
            "condition": lambda: item.source("condition"),
            "output": lambda: item.source("output"),
            "desc": lambda: item.scalar("desc"),
            "priority": item.priority,
            "source": lambda: self._source(item) or (old.source if old else "syscall"),
            "enabled": lambda: item.flag("enabled", True),
            "capture": lambda: item.flag("capture", False),
            "capture_duration": lambda: item.number("capture_duration", 0),
            "warn_evttypes": lambda: item.flag("warn_evttypes", True),
            "skip_if_unknown": lambda: item.flag("skip-if-unknown-filter", False),
            "tags": lambda: set(item.sequence("tags")) if "tags" in item.keys else set(),
            "grouping": lambda: item.grouping(grouping.SILENT_ON_IT),
        }
        values, faults = item.gather(readers)
        rule = Rule(name=name, place=item.place, tests=tests, file=self.file, **{**_ABSENT, **values})
        faults += self._define_exceptions(item, rule)
        rule.torn = bool(faults)
        self.rules[name] = rule
        self.problems += faults

    def _define_exceptions(self, item: Item, rule: Rule) -> list[Problem]:
        """Give a rule its exceptions; tells what is wrong with them."""
        faults: list[Problem] = []
        try:
            found = exceptions.read(item, self.problems)
        except RefusedError as refused:
            return list(refused.problems)
        for entry in found:
            if entry.name in rule.exceptions:
                what = f"Multiple definitions of exception '{entry.name}' in the same rule"
                self.problems.append(entry.warn("LOAD_EXCEPTION_NAME_NOT_UNIQUE", what))
            try:
                rule.exceptions[entry.name] = exceptions.define(entry)
            except RefusedError as refused:
                faults += refused.problems
        return faults

    def _change(self, item: Item, name: str, override: dict[str, list[str]]) -> None:
        operation = "append" if override["append"] else "replace"
        rule = self._known(item, name, operation)
        self._same_source(item, rule)
        for key in override["append"]:
            self._append(item, rule, key)
        for key in override["replace"]:
            self._replace(item, rule, key)
        rule.file = self.file

    def _append(self, item: Item, rule: Rule, key: str) -> None:
        match key:
            case "condition":
                rule.condition = rule.condition.joined(item.source(key))
            case "output":
                rule.output = rule.output.joined(item.source(key))
            case "desc":
                rule.desc += " " + item.scalar(key)
            case "tags":
                rule.tags |= set(item.sequence(key))
            case _:
                for entry in exceptions.read(item, self.problems):
                    self._append_exception(rule, entry)

    def _append_exception(self, rule: Rule, entry: exceptions.Entry) -> None:
        name, value = entry.name, entry.given
        values = value.get("values")
        if values is not None and not isinstance(values, list):
            raise entry.refuse(f"Rule exception '{name}': values is not a sequence")
        known = rule.exceptions.get(name)
        if not values:
            what = f"Overriding/appending exception '{name}' with no values"
            self.problems.append(entry.warn("LOAD_APPEND_NO_VALUES", what))
        if known is None:
            if "fields" not in value:
                raise entry.refuse(f"Rule exception new item '{name}' must have fields property", _VALIDATE)
            if values:
                rule.exceptions[name] = exceptions.define(entry)
        elif "fields" in value or "comps" in value:
            what = f"Can not append exception fields/comps to existing rule, only values: '{name}'"
            raise entry.refuse(what, _VALIDATE)
        else:
            known.values += values or []

    def _replace(self, item: Item, rule: Rule, key: str) -> None:
        match key:
            case "condition":
                rule.condition = item.source(key)
            case "output":
                rule.output = item.source(key)
            case "desc":
                rule.desc = item.scalar(key)
            case "tags":
                rule.tags = set(item.sequence(key))
            case "exceptions":
                found = [exceptions.define(entry) for entry in exceptions.read(item, self.problems)]
                rule.exceptions = {exception.name: exception for exception in found}
            case "priority":
                rule.priority = item.priority()
            case "enabled":
                rule.enabled = item.flag(key, True)
            case "warn_evttypes":
                rule.warn_evttypes = item.flag(key, True)
            case "skip-if-unknown-filter":
                rule.skip_if_unknown = item.flag(key, False)
            case "capture":
                rule.capture = item.flag(key, False)
            case _ if key in grouping.KEYS:
                rule.grouping = item.grouping(rule.grouping)
            case _:
                rule.capture_duration = item.number(key, 0)


def _override_faults(
    item: Item, key: str, operation: Any, appendable: tuple[str, ...], replaceable: tuple[str, ...]
) -> tuple[Problem, ...]:
    """What is wrong with one entry of `override`."""
    if operation not in ("append", "replace"):
        what = f"Invalid override operation for key '{key}': '{operation}'"
        return item.refuse(what, "override", help="expected append or replace").problems
    if operation == "append" and key not in appendable:
        return item.refuse(f"Key '{key}' cannot be appended to, use 'replace' instead", "override").problems
    if operation == "replace" and key not in replaceable:
        return item.refuse(f"Key '{key}' cannot be replaced", "override").problems
    if key not in item.keys:
        what = f"An {operation} override for '{key}' was specified but '{key}' is not defined"
        return item.refuse(what, "override").problems
    return ()


def _version(text: str) -> tuple[int, int, int] | None:
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-.*)?", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _closest(name: str, known: Iterable[str]) -> str | None:
    import difflib

    near = difflib.get_close_matches(name[:64], list(known), 1, 0.6)
    return near[0] if near else None
