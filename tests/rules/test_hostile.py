"""Whatever bytes a rule file holds: problems with a place in it, never a failure of the program."""

import itertools
import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eyas import rules
from eyas.errors import EyasError
from eyas.rules import document
from eyas.rules.formatting import FormatError, formatted
from eyas.sources import members

ROOT = Path(__file__).parents[2]
KNOWN = members.known()
CALM = settings(deadline=None, max_examples=100)
PIECES = [
    piece
    for path in sorted(rules.BUILTIN.glob("*.yaml"))
    for piece in re.split(r"\n(?=- )", path.read_text())
    if piece.startswith("- ")
]
PIECES += [
    found[1] for page in sorted((ROOT / "spec").rglob("*.md")) for found in re.finditer(r"```rules?\n(.*?)\n```", page.read_text(), re.DOTALL)
]  # fmt: skip


def load(raw: bytes) -> rules.Loaded:
    """Load a file; every problem can be shown and stands inside of the file."""
    loaded = rules.load_documents([document.decoded("x.yaml", raw)], KNOWN, rules.Settings(enable_all=True))
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", raw.decode("utf-8", "replace"))
    for problem in loaded.problems:
        problem.text()
        problem.json()
        assert 1 <= problem.place.line <= len(lines) + 1
        assert problem.place.column >= 1
    assert loaded.ir
    return loaded


@CALM
@given(st.binary(max_size=200))
def test_any_bytes_are_a_rule_file_with_problems(raw: bytes) -> None:
    load(raw)


@CALM
@given(st.binary(max_size=60))
def test_any_bytes_behind_a_rule_are_problems(raw: bytes) -> None:
    load(PIECES[0].encode() + b"\n" + raw)


@CALM
@given(st.data())
def test_a_mutated_rule_file_gives_problems(data: st.DataObject) -> None:
    raw = "\n".join(data.draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3))).encode()
    other = data.draw(st.sampled_from(PIECES)).encode()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), at + data.draw(st.integers(0, 12)))
        start = data.draw(st.integers(0, len(other)))
        new = data.draw(st.one_of(st.binary(max_size=4), st.just(other[start : start + 9])))
        raw = raw[:at] + new + raw[end:]
    loaded = load(raw)
    _formats(raw.decode("utf-8", "replace"), loaded)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=6),
    st.sampled_from(["a", "proc.name", "in", "append", "replace", "evt.type = open", "and proc.name = a", "%proc.name",
                     "b", "a and b", "INFO", "syscall", "okta", "0.63.0", "pmatch", "= anyof", "90s"]),
)  # fmt: skip
KEYS = st.sampled_from(
    ["rule", "macro", "list", "condition", "output", "desc", "priority", "source", "enabled", "tags", "items",
     "exceptions", "override", "append", "name", "fields", "comps", "values", "tests", "catches", "events",
     "required_engine_version", "required_plugin_versions", "version", "alternatives", "capture", "capture_duration",
     "group_by", "threshold", "window", "quiet", "skip-if-unknown-filter", "warn_evttypes", "nonsense"]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
WHOLE: dict[str, Any] = {
    "rule": "a", "condition": "evt.type = open", "output": "o", "desc": "d", "priority": "INFO"
}  # fmt: skip
ITEMS = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=6),
    st.dictionaries(KEYS, VALUES, max_size=3).map(lambda more: {**WHOLE, **more}),
    st.dictionaries(KEYS, VALUES, max_size=3).map(lambda more: {"rule": "a", "override": dict.fromkeys(more, "append"), **more}),
)  # fmt: skip


@settings(CALM, max_examples=200)
@given(st.lists(ITEMS, max_size=4))
def test_any_shape_of_items_gives_problems(items: list[dict[str, Any]]) -> None:
    text = yaml.safe_dump(items, allow_unicode=True, sort_keys=False)
    _formats(text, load(text.encode()))


def _formats(text: str, loaded: rules.Loaded) -> None:
    """The one form is stable and means the same."""
    try:
        once = formatted(text)
    except FormatError:
        return
    assert formatted(once) == once
    again = load(once.encode())
    for before, after in itertools.zip_longest(loaded.rules, again.rules):
        assert (before.name, before.condition, before.operands, before.tags, before.priority) == (
            after.name,
            after.condition,
            after.operands,
            after.tags,
            after.priority,
        )


MACROS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcdef"), st.booleans()), max_size=12)


@CALM
@given(MACROS)
def test_macros_that_name_each_other_are_resolved_or_refused(named: list[tuple[str, str, bool]]) -> None:
    items: list[dict[str, Any]] = [
        {"macro": name, "condition": f"evt.type = open or {other}" if uses else "evt.num = 1"}
        for name, other, uses in named
    ]
    load(yaml.safe_dump([*items, {**WHOLE, "condition": "evt.type = open and (a or b)"}]).encode())


OPTIONS = st.text(alphabet="abrules.[]0-1={}:enabdspriorty_,\\ ", max_size=30)


@CALM
@given(OPTIONS)
def test_any_option_is_applied_or_refused(option: str) -> None:
    from eyas import config

    try:
        config.load(None, [option])
    except EyasError as error:
        assert error.code == 2
