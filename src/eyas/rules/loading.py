"""Rule files and folders to rules in force: read, collect, compile, switch."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eyas.catalog import Catalog
from eyas.rules import document
from eyas.rules.additions import Addition
from eyas.rules.collect import Collected
from eyas.rules.compiled import Compiled
from eyas.rules.compiling import Compiler
from eyas.rules.problem import Place, Problem

BUILTIN = Path(__file__).parent / "builtin"
SERVICES = Path(__file__).parent / "services"  # rules for log sources, a file of its name for each
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Switch:
    """An entry of `rules:` in the configuration: turns rules on or off by name pattern or tag."""

    enable: bool
    rule: str | None = None
    tag: str | None = None

    def applies(self, rule: Compiled) -> bool:
        """Whether it concerns a rule."""
        named = self.rule is not None and fnmatch.fnmatchcase(rule.name, _literal(self.rule))
        return named or (self.tag is not None and self.tag in rule.tags)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says about rules."""

    switches: tuple[Switch, ...] = ()
    priority: int = 7
    matching: str = "all"
    additions: tuple[Addition, ...] = ()
    carry: tuple[str, ...] = ()
    enable_all: bool = False
    base64: bool = False


@dataclass(slots=True)
class Loaded:
    """All rules, those in force, and every problem."""

    rules: list[Compiled]
    active: list[Compiled]
    problems: list[Problem]
    files: list[str]
    engine_version: tuple[int, int, int] = (0, 0, 0)
    matching: str = "all"
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def errors(self) -> list[Problem]:
        """Problems that keep the rules from being put in force."""
        return [problem for problem in self.problems if problem.is_error]

    @property
    def ir(self) -> bytes:
        """The rules in force in the form that the core runs."""
        return program(self.active, self.matching, self.sources)


def program(
    rules: Iterable[Compiled], matching: str = "all", sources: Mapping[str, Mapping[str, Any]] | None = None
) -> bytes:
    """IR of rules, in their order, with the declarations of their sources."""
    listed = [
        {
            "id": number,
            "name": rule.name,
            "source": rule.source,
            "events": None if rule.events is None else sorted(rule.events),
            "condition": rule.condition,
            "output": list(rule.operands),
            **({"base64": True} if rule.base64 else {}),
        }
        for number, rule in enumerate(rules)
    ]
    whole: dict[str, Any] = {"ir": 1, "matching": matching, "rules": listed}
    if sources:
        whole["sources"] = sources
    return json.dumps(whole).encode()


def files_of(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """Files of paths in load order; a folder gives its YAML files sorted by name."""
    found: list[Path] = []
    problems: list[Problem] = []
    for path in map(_place, paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES and p.is_file())
        if not inside:
            what = "the folder holds no rule files (*.yaml, *.yml)"
            problems.append(Problem("LOAD_ERR_FILE_READ", what, Place(str(path))))
        found += inside
    return found, problems


def _place(path: Path) -> Path:
    """The path itself, or the folder of the rules we ship for the word `builtin`."""
    return BUILTIN if str(path) == "builtin" and not path.exists() else path


def load(paths: Sequence[Path], catalog: Catalog, settings: Settings | None = None) -> Loaded:
    """Load rule files and folders."""
    files, problems = files_of(paths)
    return load_documents([document.read(path) for path in files], catalog, settings or Settings(), problems)


def load_documents(
    documents: Sequence[document.Document],
    catalog: Catalog,
    settings: Settings,
    problems: Sequence[Problem] = (),
) -> Loaded:
    """Load rule files that are read already."""
    collected = Collected(plugin=catalog.plugin)
    for one in documents:
        collected.add(one)
    compiler = Compiler(collected, catalog, settings.additions, settings.carry, settings.base64)
    rules = [rule for rule in compiler.rules() if rule.priority <= settings.priority]
    active = [rule for rule in rules if settings.enable_all or is_enabled(rule, settings.switches)]
    return Loaded(
        rules=rules,
        active=active,
        problems=_in_order([*problems, *collected.problems, *compiler.problems], documents),
        files=[one.file for one in documents],
        engine_version=collected.engine_version,
        matching=settings.matching,
        sources={
            name: catalog.sources[name]().declaration
            for name in sorted({rule.source for rule in active})
            if name in catalog.sources
        },
    )


def _in_order(problems: Iterable[Problem], documents: Sequence[document.Document]) -> list[Problem]:
    """Problems as they stand in the files."""
    order = {one.file: number for number, one in enumerate(documents)}
    return sorted(problems, key=lambda p: (order.get(p.place.file, -1), p.place.line, p.place.column))


def is_enabled(rule: Compiled, switches: Iterable[Switch]) -> bool:
    """Whether a rule is on after all switches, in order."""
    on = rule.enabled
    for switch in switches:
        if switch.applies(rule):
            on = switch.enable
    return on


def _literal(pattern: str) -> str:
    """Only `*` is special in the patterns of the configuration."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
