"""Rule files: what is defined, merged, refused and where."""

from pathlib import Path

from eyas import catalog, rules
from eyas.rules import document
from eyas.rules.problem import Problem

RULE = """
- rule: one
  desc: d
  condition: {condition}
  output: o
  priority: INFO
"""


def load(*texts: str, **settings: object) -> rules.Loaded:
    documents = [document.parse(f"{number}.yaml", text) for number, text in enumerate(texts)]
    return rules.load_documents(documents, catalog.load(), rules.Settings(**settings))  # type: ignore[arg-type]


def first(loaded: rules.Loaded) -> Problem:
    return next(problem for problem in loaded.problems if not problem.code.startswith("LOAD_UNUSED"))


def test_a_fault_points_at_its_line_and_column() -> None:
    problem = first(load(RULE.format(condition="evt.type = open and proc.nme = sh")))
    assert (problem.code, problem.place.line, problem.place.column) == ("LOAD_ERR_COMPILE_CONDITION", 4, 34)
    assert "proc.name" in problem.help


def test_a_fault_in_a_folded_block_points_at_its_line() -> None:
    problem = first(load(RULE.format(condition=">\n    evt.type = open and\n    proc.nme = sh")))
    assert problem.place.line == 6


def test_every_fault_of_every_file_is_reported() -> None:
    bad = RULE.format(condition="evt.type = opn and proc.nme = sh")
    loaded = load(bad, RULE.replace("one", "two").format(condition="(evt.num = x)"))
    assert len(loaded.errors) == 3


def test_a_list_is_put_in_place_and_appended_to() -> None:
    text = "- list: shells\n  items: [sh]\n- list: shells\n  items: [bash]\n  override: {items: append}\n"
    loaded = load(text + RULE.format(condition="evt.type = open and proc.name in (shells)"))
    assert loaded.rules[0].condition["and"][1]["values"] == [{"text": "sh"}, {"text": "bash"}]


def test_an_exception_becomes_a_negation() -> None:
    text = RULE.format(condition="evt.type = open") + (
        "  exceptions:\n    - name: ours\n      fields: [proc.name, fd.name]\n"
        "      comps: [=, startswith]\n      values:\n        - [apt, /var]\n"
    )
    condition = load(text).rules[0].condition
    assert "not" in condition["and"][1]


def test_an_override_of_an_unknown_rule_is_an_error() -> None:
    problem = first(load("- rule: nowhere\n  condition: and x\n  override: {condition: append}\n"))
    assert problem.code == "LOAD_ERR_VALIDATE"


def test_a_macro_that_is_not_defined_is_named() -> None:
    problem = first(load(RULE.format(condition="spawned")))
    assert "Undefined macro 'spawned'" in problem.message


def test_tabs_and_duplicate_keys_are_refused_with_their_place() -> None:
    assert first(load("- rule: x\n\tdesc: y\n")).code == "LOAD_ERR_YAML_PARSE"
    problem = first(load(RULE.format(condition="evt.type = open") + "  priority: DEBUG\n"))
    assert "duplicate key" in problem.message
    assert problem.place.line == 7


def test_rules_are_switched_by_name_pattern_and_tag() -> None:
    text = RULE.format(condition="evt.type = open") + "  tags: [net]\n"
    switch = rules.Switch
    assert not load(text, switches=(switch(False, rule="o*"),)).active
    assert load(text, switches=(switch(False, rule="o*"), switch(True, tag="net"))).active


def test_a_missing_file_and_an_empty_folder_are_errors(tmp_path: Path) -> None:
    loaded = rules.load([tmp_path, tmp_path / "none.yaml"], catalog.load())
    assert [problem.code for problem in loaded.errors] == ["LOAD_ERR_FILE_READ"] * 2


def test_deep_nesting_and_long_conditions_give_an_answer() -> None:
    deep = "(" * 1000 + "evt.num = 1" + ")" * 1000
    assert first(load(RULE.format(condition=deep))).is_error
    many = " or ".join(f"proc.name = p{number}" for number in range(20_000))
    assert not load(RULE.format(condition=many)).errors
