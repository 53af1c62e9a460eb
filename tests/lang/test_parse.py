"""Text to tree and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyas.lang import FaultError, canonical, parse
from eyas.lang.tree import And, Check, FieldRef, Name, Not, Or, Text, Values

WORDS = [
    "proc.name", "evt.arg", "and", "or", "not", "not(", "(", ")", "=", "!=", "<", "in", "pmatch", "contains",
    "exists", "oneof", "val(", "tolower(", "join(", ",", '"', "'", "\\", "[", "]", "[1]", "sh", "1", "0x1f",
    "1.5e+3", " ", "\n", '"a b"', "'x\\x00'", "é", "\x00", "\udcff", "\ud800",
]  # fmt: skip


def test_not_binds_tighter_than_and_and_and_tighter_than_or() -> None:
    tree = parse("not a and b or c")
    assert tree == Or((And((Not(Name("a")), Name("b"))), Name("c")))


def test_a_comparison_keeps_its_place_in_the_text() -> None:
    tree = parse("m and  proc.name = sh")
    assert isinstance(tree, And)
    assert tree.children[1].span == (7, 21)


def test_operators_are_prefixes_and_list_operators_need_no_blank() -> None:
    assert parse("proc.name inside") == Check(FieldRef("proc.name"), "in", Values(("side",), named=True))
    assert parse("proc.name in(a)") == Check(FieldRef("proc.name"), "in", Values(("a",)))


def test_a_modifier_needs_a_list_behind_it() -> None:
    assert parse("proc.name = oneof").right == Text("oneof")  # type: ignore[union-attr]
    assert parse("proc.name = oneof (a)").modifier == "oneof"  # type: ignore[union-attr]


def test_a_backslash_before_a_blank_loses_nothing() -> None:
    assert parse(r'proc.name = "a\ b"').right == Text("a\\ b")  # type: ignore[union-attr]


def test_an_escaped_backslash_ends_no_quote() -> None:
    assert parse(r'proc.name = "a\\"').right == Text("a\\")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["(" * 1000 + "a" + ")" * 1000, "(" * 1_000_000, "tolower(" * 5000, "a or(" * 5000, "not(" * 5000]
)
def test_nesting_beyond_the_limit_is_a_fault(text: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse(text)
    assert caught.value.fault.code == "E002"
    assert "exceeded max depth" in caught.value.fault.message


def test_a_condition_of_ten_megabytes_gets_an_answer() -> None:
    text = "proc.name in (" + ",".join(["x"] * 5_000_000) + ")"
    assert isinstance(parse(text), Check)


def test_many_negations_fold() -> None:
    assert parse("not " * 100_001 + "a") == Not(Name("a"))


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)))
def test_any_text_gives_a_tree_or_a_fault(text: str) -> None:
    try:
        tree = parse(text)
    except FaultError as error:
        start, end = error.fault.span
        assert 0 <= start <= end <= len(text)
    else:
        assert parse(canonical(tree)) == tree


FIELDS = st.builds(
    FieldRef, st.sampled_from(["proc.name", "fd.num", "evt.arg.name"]), st.none() | st.text(max_size=5)
)
CHECKS = st.one_of(
    st.builds(Name, st.sampled_from(["m", "orange", "android", "nothing"])),
    st.builds(Check, FIELDS, st.just("exists")),
    st.builds(Check, FIELDS, st.sampled_from(["=", "!=", "contains", "regex"]), st.builds(Text, st.text())),
    st.builds(Check, FIELDS, st.sampled_from(["=", ">"]), FIELDS),
    st.builds(
        Check,
        FIELDS,
        st.just("startswith"),
        st.builds(Values, st.lists(st.text(), max_size=3).map(tuple)),
        st.sampled_from(["oneof", "anyof", "allof"]),
    ),
    st.builds(
        Check, FIELDS, st.sampled_from(["in", "pmatch"]), st.builds(Values, st.lists(st.text()).map(tuple))
    ),
)
TREES = st.recursive(
    CHECKS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=12,
)


@given(TREES)
def test_the_canonical_text_parses_to_the_same_tree(tree: And) -> None:
    assert parse(canonical(tree)) == tree
