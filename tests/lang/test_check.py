"""Types, constants, arguments: what compiles and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyas.catalog import Catalog
from eyas.lang import FaultError, Memo, check, lower, parse
from eyas.lang.regex import fault_of, simpler

NUMERIC = "= == != < <= > >= in intersects exists"
EQUAL = "= == != in intersects exists"
BY_TYPE = {
    "fd.num": NUMERIC,
    "evt.num": NUMERIC,
    "thread.cpu": NUMERIC,
    "evt.latency": NUMERIC,
    "fd.sport": NUMERIC,
    "evt.is_io": EQUAL,
    "fd.sip": EQUAL,
    "fd.snet": EQUAL,
    "fd.types": "in intersects exists",
    "evt.rawarg.euid": "exists",
    "evt.buffer": f"{EQUAL} contains bcontains startswith bstartswith endswith",
    "proc.name": f"{NUMERIC} contains icontains startswith endswith glob iglob regex pmatch",
}
SAMPLE = {"evt.is_io": "true", "fd.sip": "10.0.0.1", "fd.snet": "10.0.0.0/8"}
ALL = f"{NUMERIC} contains icontains bcontains startswith bstartswith endswith glob iglob regex pmatch"


@pytest.mark.parametrize("field", BY_TYPE)
@pytest.mark.parametrize("op", ALL.split())
def test_an_operator_works_exactly_on_its_types(field: str, op: str, catalog: Catalog) -> None:
    value = SAMPLE.get(field, "10")
    if op == "exists":
        text = f"{field} exists"
    elif op in ("in", "intersects", "pmatch"):
        text = f"{field} {op} ({value})"
    elif op in ("<", "<=", ">", ">="):
        text = f"{field} {op} 10"
    else:
        text = f"{field} {op} {value}"
    faults = check(parse(text), catalog)
    assert ([f.code for f in faults if f.severity == "error"] == []) == (op in BY_TYPE[field].split())


def value_of(text: str, catalog: Catalog) -> object:
    return lower(parse(text), catalog)["right"]["value"]


def test_constants_take_the_type_of_the_left_side(catalog: Catalog) -> None:
    assert value_of("fd.num = -0x10", catalog) == {"int": -16}
    assert value_of("evt.num = -1", catalog) == {"uint": 2**64 - 1}
    assert value_of("user.uid = -1", catalog) == {"uint": 2**32 - 1}
    assert value_of("fd.num = 99999999999999999999", catalog) == {"int": 2**63 - 1}
    assert value_of("thread.cpu > 1.5", catalog) == {"double": 1.5}
    assert value_of("fd.sport = 65537", catalog) == {"uint": 1}
    assert value_of("fd.sport = https", catalog) == {"uint": 443}
    assert value_of('fd.sip = "::1"', catalog) == {"ip": "::1"}
    assert value_of("fd.snet = 10.1.2.3/8", catalog) == {"net": "10.0.0.0/8"}
    assert value_of(r'proc.name = "\xff"', catalog) == {"bytes": "ff"}


@pytest.mark.parametrize(
    "text",
    [
        "fd.port < -1",
        "fd.sip = 1.2.3",
        'fd.sip = ""',
        'fd.snet = "::/0"',
        'fd.num = ""',
        "evt.is_io = True",
        "evt.num = 1_000",
        "fd.num = " + "9" * 5000,
        "proc.name = " + "x" * 256,
        "evt.buffer bcontains abc",
    ],
)
def test_a_constant_of_another_type_is_a_fault(text: str, catalog: Catalog) -> None:
    assert check(parse(text), catalog)[0].code in ("E202", "E203")


def test_all_faults_are_found_in_one_pass(catalog: Catalog) -> None:
    faults = check(parse("proc.nme = a and fd.num = two or evt.type = opn"), catalog)
    assert [f.code for f in faults] == ["E101", "E202", "E102"]
    assert [f.help for f in faults] == ["did you mean proc.name?", "", "did you mean open?"]


def test_a_shared_tree_is_lowered_once(catalog: Catalog) -> None:
    memo, tree = Memo(), parse("proc.name = a and fd.num = 1")
    assert lower(tree, catalog, memo) is lower(tree, catalog, memo)


def test_a_tree_as_deep_as_the_limit_lowers(catalog: Catalog) -> None:
    text = "proc.name = a"
    for depth in range(198):
        text = f"({text} {('and', 'or')[depth % 2]} fd.num = 1)"
    assert lower(parse(text), catalog)


@given(st.text(alphabet="ab()[]{}*+?|^$.\\-,:1x0 dC", max_size=12))
def test_a_regular_expression_is_judged_without_an_exception(pattern: str) -> None:
    fault_of(pattern)
    simpler(pattern)


@pytest.mark.parametrize(
    "pattern", ["a**", "[]a]", "[[:alpha:]]+", r"\.x\x41", "a{1,3}", "x{", "^*", "(a|)", ""]
)
def test_a_valid_regular_expression_passes(pattern: str) -> None:
    assert fault_of(pattern) is None


@pytest.mark.parametrize(
    "pattern", ["*", "(", ")", "[", r"\d", "a{3,2}", "a{1001}", "(?i)a", "[b-a]", "[[:x:]]", "\\"]
)
def test_an_invalid_regular_expression_is_refused(pattern: str) -> None:
    assert fault_of(pattern) is not None


WORDS = st.sampled_from(
    [
        "proc.name",
        "fd.num",
        "evt.type",
        "evt.rawarg.res",
        "fd.net",
        "tolower(proc.name)",
        "len(fd.types)",
        "getopt(fd.types, 1)",
    ]
)
OPS = st.sampled_from(ALL.split())


@given(left=WORDS, op=OPS, value=st.text(max_size=8))
def test_checking_raises_nothing_but_faults(catalog: Catalog, left: str, op: str, value: str) -> None:
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for text in (
        f"{left} {op} {quoted}",
        f"{left} {op} ({quoted})",
        f"{left} {op} {value}",
        f"{left} {op} val({value})",
    ):
        try:
            tree = parse(text)
            check(tree, catalog)
            lower(tree, catalog)
        except FaultError:
            pass
