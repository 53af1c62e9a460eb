"""Output templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyas.catalog import Catalog
from eyas.lang import FaultError, Placeholder, suggested, template


def test_the_longest_field_name_wins(catalog: Catalog) -> None:
    compiled = template("%proc.nameand %evt.argsx %evt.arg.flags.", catalog)
    keys = [s.key if isinstance(s, Placeholder) else s for s in compiled.segments]
    assert keys == ["proc.name", "and ", "evt.args", "x ", "evt.arg.flags", "."]


def test_brackets_behind_a_field_without_argument_are_text(catalog: Catalog) -> None:
    compiled = template("%proc.name[%proc.pid] %proc.aname[2]", catalog)
    assert compiled.names == ("proc.name", "proc.pid", "proc.aname[2]")
    assert compiled.operands[2] == {"field": "proc.aname", "arg": 2}


def test_a_width_pads_or_cuts(catalog: Catalog) -> None:
    assert template("%20proc.name", catalog).segments == (Placeholder(0, "proc.name", 20),)


def test_a_transformer_prints_its_value_and_lists_its_fields(catalog: Catalog) -> None:
    compiled = template('%join(", ", (proc.name, proc.pid))', catalog)
    assert compiled.names == ("proc.name", "proc.pid")
    assert compiled.segments == (Placeholder(2, 'join(", ", (proc.name, proc.pid))'),)


def test_a_name_of_which_only_the_beginning_is_a_field_is_told_with_the_nearest(catalog: Catalog) -> None:
    compiled = template("of %proc.pname.nam, %fd.name. Then %evt.time.s.", catalog)
    (told,) = compiled.advice
    assert (told.code, told.severity, told.span) == ("W105", "warning", (3, 18))
    assert told.message == "there is no field proc.pname.nam: %proc.pname is printed, and '.nam' as text"
    assert told.help == "did you mean %proc.name?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E301"),
        ("100%", "E301"),
        ("%5", "E301"),
        ("%%", "E302"),
        ("% x", "E302"),
        ("%user.nme", "E302"),
        ("%fd.net", "E303"),
        ("%proc.aname[x]", "E301"),
        ("%tolower(fd.cip)", "E301"),
        ("%tolower(x.y)", "E302"),
    ],
)
def test_a_wrong_template_is_a_fault(text: str, code: str, catalog: Catalog) -> None:
    with pytest.raises(FaultError) as caught:
        template(text, catalog)
    assert caught.value.fault.code == code
    assert caught.value.fault.load == "LOAD_ERR_COMPILE_OUTPUT"


def test_suggested_fields_are_a_valid_template(catalog: Catalog) -> None:
    assert "container.id" in template(suggested(catalog), catalog).names


@given(text=st.one_of(st.text(), st.text(alphabet="%proc.nameevt[]()12arg tolower*")))
def test_any_text_gives_a_template_or_a_fault(catalog: Catalog, text: str) -> None:
    try:
        template(text, catalog)
    except FaultError as error:
        assert error.fault.load == "LOAD_ERR_COMPILE_OUTPUT"
