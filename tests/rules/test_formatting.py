"""The one form of rule files: meaning and comments stay."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyas import catalog, rules
from eyas.rules import document
from eyas.rules.formatting import FormatError, formatted

SHARED = Path(__file__).resolve().parents[3] / "shared" / "interop" / "rules"
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml")

UNTIDY = """\
# about shells

# a list
- items:
     - sh
     - bash   # the usual one
     # and this
     - zsh
  list: shells


- priority:   WARNING
  tags: [ a,
     b ]
  rule: shell   # here
  condition: >
     evt.type   = execve  and proc.name in (shells)
     and (proc.pname = "a  b" or proc.pname = c)

  output: >
    a shell %proc.name
    started
  desc: something
# the end
"""

TIDY = """\
# about shells

# a list
- list: shells
  items:
    - sh
    - bash  # the usual one
    # and this
    - zsh

- rule: shell  # here
  desc: something
  condition: evt.type = execve and proc.name in (shells) and (proc.pname = "a  b" or proc.pname = c)
  output: a shell %proc.name started
  priority: WARNING
  tags: [a, b]

# the end
"""


def compiled(text: str) -> bytes:
    loaded = rules.load_documents(
        [document.parse("x.yaml", text)], catalog.load(), rules.Settings(enable_all=True)
    )
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    return loaded.ir


def test_keys_come_in_order_and_comments_stay_with_them() -> None:
    assert formatted(UNTIDY) == TIDY


def test_what_is_formatted_stays_as_it_is() -> None:
    assert formatted(TIDY) == TIDY


def test_a_long_condition_breaks_where_its_parts_join() -> None:
    clauses = " and ".join(f"proc.aname[{number}] in (nginx, apache2, httpd)" for number in range(1, 5))
    text = f"- macro: m\n  condition: {clauses}\n"
    assert formatted(text).splitlines()[2:] == [
        "    proc.aname[1] in (nginx, apache2, httpd)",
        "    and proc.aname[2] in (nginx, apache2, httpd)",
        "    and proc.aname[3] in (nginx, apache2, httpd)",
        "    and proc.aname[4] in (nginx, apache2, httpd)",
    ]


@pytest.mark.parametrize(
    "condition",
    [
        'proc.cmdline contains "a   b"',
        "json.value[/a,b (c)] = x",
        "proc.name = '#x'",
        'fd.name = "a\\" and b"',
    ],
)
def test_quotes_and_arguments_are_not_touched(condition: str) -> None:
    text = f"- macro: m\n  condition: >\n    {condition}\n"
    assert condition in formatted(text)


@pytest.mark.parametrize(
    "text",
    [
        "- list: a\n  items: [a,\n    b, # why\n    c]\n",
        "- rule: a\n  desc: |2\n      b\n  priority: INFO\n",
        "- macro: m\n  condition: 'evt.num\n    = 1'\n",
    ],
)
def test_what_cannot_be_laid_out_without_loss_stays(text: str) -> None:
    assert formatted(text) == text


def test_what_is_no_rule_file_is_refused_with_its_line() -> None:
    with pytest.raises(FormatError) as caught:
        formatted("- rule: a\n\tdesc: b\n")
    assert caught.value.line == 2
    with pytest.raises(FormatError):
        formatted("rule: a\n")


@pytest.mark.parametrize("path", sorted(rules.BUILTIN.glob("*.yaml")), ids=lambda path: path.stem)
def test_our_rules_are_in_the_one_form(path: Path) -> None:
    assert formatted(path.read_text()) == path.read_text()


def test_rule_files_of_the_field_mean_the_same_afterwards() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} with rule files is missing")
    texts = [(SHARED / name).read_text() for name in FILES]
    once = [formatted(text) for text in texts]
    assert once != texts
    assert [formatted(text) for text in once] == once
    assert compiled("".join(once)) == compiled("".join(texts))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(rules.BUILTIN.glob("*.yaml"))), st.data())
def test_damaged_files_are_formatted_once_or_refused(path: Path, data: st.DataObject) -> None:
    text = path.read_text()[:4000]
    at = data.draw(st.integers(0, len(text)))
    damage = data.draw(
        st.sampled_from(["", "\n", " ", "#", "- ", "'", '"', ":", "\t", "|\n", "[", "]", ")", " # x\n", "é"])
    )
    cut = data.draw(st.integers(0, 40))
    try:
        once = formatted(text[:at] + damage + text[at + cut :])
    except FormatError as error:
        assert error.line >= 1
    else:
        assert formatted(once) == once
