"""Generated conditions in the style of the recorded ones: however they are asked, the answer is the same."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from eyas import _core, catalog, conform, lang
from tests.captures import scenario

HOW_MANY = 600
SPELLED = (
    "= == != < <= > >= contains icontains bcontains startswith bstartswith endswith glob iglob regex in intersects "
    "pmatch exists"
)
OPERATORS = SPELLED.split()
LISTS = ("in", "intersects", "pmatch")
MODIFIERS = ("oneof", "anyof", "allof")
CALLS = ("tolower", "toupper", "b64", "basename", "len")
SEED = 2026


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("consistency") / "scenario.scap"
    path.write_bytes(scenario.capture())
    return path


def names() -> list[str]:
    known = catalog.load().fields.values()
    plain = [
        one.name for one in known if one.available and one.source in ("any", "syscall") and not one.required
    ]
    return [
        *plain,
        "proc.aname[2]",
        "evt.arg.name",
        "evt.rawarg.res",
        "evt.arg[0]",
        "proc.env[PATH]",
        "thread.cgroup.cpu",
    ]


class Maker:
    """Makes conditions of the values that a capture shows."""

    def __init__(self, path: Path) -> None:
        self.random = random.Random(SEED)
        self.values: dict[str, list[Any]] = {}
        wanted = names()
        for line in _core.field_values(str(path), wanted):
            for name, value in json.loads(line).items():
                seen = self.values.setdefault(name, [])
                if value is not None and value not in seen and len(seen) < 8:
                    seen.append(value)
        self.names = [name for name in wanted if self.values.get(name)]

    def condition(self, depth: int = 0) -> str:
        roll = self.random.random()
        if depth > 2 or roll < 0.5:
            return self.check()
        if roll < 0.6:
            return f"not ({self.condition(depth + 1)})"
        word = self.random.choice((" and ", " or "))
        return "(" + word.join(self.condition(depth + 1) for _ in range(self.random.randint(2, 3))) + ")"

    def check(self) -> str:
        name, operator = self.random.choice(self.names), self.random.choice(OPERATORS)
        left = f"{self.random.choice(CALLS)}({name})" if self.random.random() < 0.1 else name
        if operator == "exists":
            return f"{left} exists"
        if operator in LISTS:
            return f"{left} {operator} ({self.members(name)})"
        if self.random.random() < 0.1:
            return f"{left} {operator} {self.random.choice(MODIFIERS)} ({self.members(name)})"
        if self.random.random() < 0.1:
            return f"{left} {operator} val({self.random.choice(self.names)})"
        return f"{left} {operator} {self.value(name, operator)}"

    def members(self, name: str) -> str:
        return ", ".join(self.value(name, "in") for _ in range(self.random.randint(1, 3)))

    def value(self, name: str, operator: str) -> str:
        value = self.random.choice(self.values[name])
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int) and operator in ("<", "<=", ">", ">=", "=", "!=", "in"):
            return str(value)
        text = str(value)
        if operator.startswith("b"):
            return text.encode()[:6].hex()
        if self.random.random() < 0.5 and len(text) > 2:
            text = {"startswith": text[:2], "endswith": text[-2:], "regex": ".*"}.get(operator, text)
            text = f"{text[:1]}*{text[-1:]}" if operator.endswith("glob") else text
        return json.dumps(text[:200]) if text.isascii() and text.isprintable() and "\\" not in text else '"x"'


@pytest.fixture(scope="module")
def rules(made: Path) -> list[tuple[str, dict[str, Any]]]:
    maker, known = Maker(made), catalog.load()
    kept: list[tuple[str, dict[str, Any]]] = []
    for _ in range(40 * HOW_MANY):
        text = maker.condition()
        if any(name in text for name in conform.DELIBERATE | {"thread.cpu"}):
            continue
        rule = conform._rule(0, text, known)
        if isinstance(rule, dict):
            kept.append((text, rule))
        if len(kept) == HOW_MANY:
            break
    assert len(kept) == HOW_MANY
    return kept


def named(rules: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{**rule, "name": str(number)} for number, (_, rule) in enumerate(rules)]


def test_the_core_takes_what_the_language_takes(rules: list[tuple[str, dict[str, Any]]]) -> None:
    for text, rule in rules:
        ir = json.dumps({"ir": 1, "matching": "all", "rules": [{"id": 0, **rule}]})
        try:
            _core.Program(ir.encode())
        except _core.CoreError as error:
            pytest.fail(f"{text}: {error}")


def test_the_canonical_text_means_the_same(rules: list[tuple[str, dict[str, Any]]]) -> None:
    for text, rule in rules:
        again = conform._rule(0, lang.canonical(lang.parse(text)), catalog.load())
        assert again == rule, text


def test_all_at_once_is_as_one_by_one(made: Path, rules: list[tuple[str, dict[str, Any]]]) -> None:
    together = conform._matches(str(made), named(rules))
    for number, (text, rule) in enumerate(rules[::4]):
        alone = conform._matches(str(made), [rule]).get(0, [])
        assert alone == together.get(4 * number, []), text


def test_a_negation_holds_where_the_condition_does_not(
    made: Path, rules: list[tuple[str, dict[str, Any]]]
) -> None:
    both = [rule for _, rule in rules] + [
        {**rule, "condition": {"not": rule["condition"]}} for _, rule in rules
    ]
    found = conform._matches(str(made), [{**rule, "name": str(n)} for n, rule in enumerate(both)])
    everything = {json.loads(line)["evt.num"] for line in _core.field_values(str(made), ["evt.num"])}
    for number, (text, _) in enumerate(rules):
        held, other = found.get(number, []), found.get(number + HOW_MANY, [])
        assert not set(held) & set(other), text
        assert set(held) | set(other) == everything, text


def test_the_plain_way_gives_the_same(made: Path, rules: list[tuple[str, dict[str, Any]]]) -> None:
    """What `explain` asks part by part, without plan and memory."""
    listed = named(rules)
    ir = json.dumps(
        {"ir": 1, "matching": "all", "rules": [{"id": n, **rule} for n, rule in enumerate(listed)]}
    )
    program = _core.Program(ir.encode())
    found = conform._matches(str(made), listed)
    numbers = sorted({json.loads(line)["evt.num"] for line in _core.field_values(str(made), ["evt.num"])})
    pick = random.Random(SEED)
    for number, (text, _) in enumerate(rules):
        num = pick.choice(found.get(number, numbers))
        told = json.loads(_core.explain(str(made), program, number, num))["condition"]
        assert told["held"] == (num in found.get(number, [])), f"{text} on {num}"
