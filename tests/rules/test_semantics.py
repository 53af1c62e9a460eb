"""What the items of rule files mean: each row of the field's reference, as a file and what becomes of it."""

from typing import Any

import pytest

from eyas import catalog, rules
from eyas.rules import document
from eyas.rules.compiled import Compiled
from eyas.rules.loading import Switch

RULE = "- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: {priority}\n"


def rule(
    name: str = "one", condition: str = "evt.type = open", priority: str = "INFO", more: str = ""
) -> str:
    return RULE.format(name=name, condition=condition, priority=priority) + more


def load(*texts: str, **settings: Any) -> rules.Loaded:
    documents = [document.parse(f"{number}.yaml", text) for number, text in enumerate(texts)]
    return rules.load_documents(documents, catalog.load(), rules.Settings(**settings))


def one(*texts: str) -> Compiled:
    loaded = load(*texts)
    assert not loaded.errors, loaded.errors[0].message
    return next(rule for rule in loaded.rules if rule.name == "one")


def codes(*texts: str) -> list[str]:
    return [problem.code for problem in load(*texts).problems]


def override(**keys: str) -> str:
    body = "".join(f"  {key}: {value.partition(' ')[2]}\n" for key, value in keys.items())
    kinds = ", ".join(f"{key}: {value.partition(' ')[0]}" for key, value in keys.items())
    return (
        f"- rule: one\n{body}  override: {{{kinds}}}\n".replace("skip_if", "skip-if")
        .replace("if_un", "if-un")
        .replace("unknown_f", "unknown-f")
    )


CODES = {
    "null documents and items are skipped": ("---\n---\n- \n" + rule(), []),
    "a mapping": ("rule: x\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "an item that is no mapping": ("- x\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "no YAML": ("- rule: [\n", ["LOAD_ERR_YAML_PARSE"]),
    "the first kind counts": ("- {list: l, rule: r, items: []}\n", ["LOAD_UNUSED_LIST", "LOAD_UNKNOWN_KEY"]),
    "no kind": ("- {}\n- {x: y}\n", ["LOAD_UNKNOWN_ITEM", "LOAD_UNKNOWN_ITEM"]),
    "an unknown key": (rule(more="  colour: red\n"), ["LOAD_UNKNOWN_KEY"]),
    "an engine": ("- required_engine_version: 63\n", []),
    "a newer engine": ("- required_engine_version: 64\n", ["LOAD_ERR_VALIDATE"]),
    "an engine by three numbers": ("- required_engine_version: 0.31.0\n", []),
    "another major engine": ("- required_engine_version: 1.0.0\n", ["LOAD_ERR_VALIDATE"]),
    "two numbers": ("- required_engine_version: '0.31'\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "a word for an engine": ("- required_engine_version: x\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "a plugin": ("- required_plugin_versions: [{name: container, version: 0.2.2}]\n", []),
    "a newer plugin": ("- required_plugin_versions: [{name: container, version: 0.99.0}]\n", ["LOAD_ERR_VALIDATE"]),
    "another plugin": (
        "- required_plugin_versions: [{name: nowhere, version: 0.1.0, alternatives: [{name: json, version: 0.7.0}]}]\n",
        [],
    ),
    "a plugin twice": (
        "- required_plugin_versions: [{name: json, version: 0.1.0, alternatives: [{name: json, version: 0.7.0}]}]\n",
        ["LOAD_ERR_VALIDATE"],
    ),
    "no version": ("- required_plugin_versions: [{name: json}]\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "no version number": ("- required_plugin_versions: [{name: json, version: x}]\n", ["LOAD_ERR_VALIDATE"]),
    "plugins that are no sequence": ("- required_plugin_versions: x\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "a list name": ("- {list: a b, items: []}\n", ["LOAD_INVALID_LIST_NAME", "LOAD_UNUSED_LIST"]),
    "a macro name": ("- {macro: a-b, condition: evt.num = 1}\n", ["LOAD_INVALID_MACRO_NAME", "LOAD_UNUSED_MACRO"]),
    "no items": ("- list: a\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "null items": ("- {list: a, items: }\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "a null in a list": ("- {list: a, items: [b, ~]}\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "append to no list": ("- {list: a, items: [b], append: true}\n", ["LOAD_DEPRECATED_ITEM", "LOAD_ERR_VALIDATE"]),
    "replace no list": ("- {list: a, items: [b], override: {items: replace}}\n", ["LOAD_UNUSED_LIST"]),
    "append to no macro": (
        "- {macro: a, condition: and x, override: {condition: append}}\n", ["LOAD_ERR_VALIDATE"],
    ),
    "replace no macro": (
        "- {macro: a, condition: evt.num = 1, override: {condition: replace}}\n", ["LOAD_UNUSED_MACRO"],
    ),
    "an empty text": (rule(condition="''"), ["LOAD_ERR_YAML_VALIDATE"]),
    "a null text": (rule(condition=""), ["LOAD_ERR_YAML_VALIDATE"]),
    "a missing key": ("- {rule: one, condition: evt.num = 1, output: o, desc: d}\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "no key at all": ("- {rule: one}\n", ["LOAD_ERR_YAML_VALIDATE"]),
    "a toggle": (rule() + "- {rule: one, enabled: false}\n", ["LOAD_DEPRECATED_ITEM"]),
    "a toggle of nothing": ("- {rule: one, enabled: false}\n", ["LOAD_DEPRECATED_ITEM", "LOAD_ERR_VALIDATE"]),
    "a word that is no truth": (rule(more="  enabled: maybe\n"), ["LOAD_ERR_YAML_VALIDATE"]),
    "a negative duration": (rule(more="  capture_duration: -1\n"), ["LOAD_ERR_YAML_VALIDATE"]),
    "an unknown priority": (rule(priority="SOON"), ["LOAD_ERR_YAML_VALIDATE"]),
    "an unknown source": (rule(more="  source: nowhere\n"), ["LOAD_UNKNOWN_SOURCE"]),
    "a source that changes": (rule() + rule(more="  source: k8s_audit\n"), ["LOAD_ERR_VALIDATE"]),
    "an append of nothing": (
        rule() + "- {rule: one, append: true, enabled: false}\n", ["LOAD_DEPRECATED_ITEM", "LOAD_ERR_VALIDATE"],
    ),
    "an unknown operation": (rule() + override(condition="double x"), ["LOAD_ERR_YAML_VALIDATE"]),
    "a key that cannot be appended": (rule() + override(priority="append INFO"), ["LOAD_ERR_YAML_VALIDATE"]),
    "an override of a key that is not there": (
        rule() + "- {rule: one, override: {condition: append}}\n", ["LOAD_ERR_YAML_VALIDATE"],
    ),
    "a key without its override": (
        rule() + "- {rule: one, output: p, condition: x, override: {condition: append}}\n", ["LOAD_ERR_YAML_VALIDATE"],
    ),
    "override and append": (
        rule() + "- {rule: one, condition: x, append: true, override: {condition: append}}\n",
        ["LOAD_ERR_YAML_VALIDATE"],
    ),
    "exceptions of one name": (
        rule(more="  exceptions: [{name: a, fields: evt.num}, {name: a, fields: evt.num}]\n"),
        ["LOAD_EXCEPTION_NAME_NOT_UNIQUE"],
    ),
    "null exceptions": (rule(more="  exceptions: \n"), []),
    "an exception without values": (rule(more="  exceptions: [{name: a, fields: [proc.name]}]\n"), []),
    "an exception without fields": (rule(more="  exceptions: [{name: a}]\n"), ["LOAD_ERR_YAML_VALIDATE"]),
    "operators that are fewer": (
        rule(more="  exceptions: [{name: a, fields: [proc.name, fd.name], comps: [=]}]\n"), ["LOAD_ERR_VALIDATE"],
    ),
    "an unknown operator": (
        rule(more="  exceptions: [{name: a, fields: [proc.name], comps: [is]}]\n"), ["LOAD_ERR_VALIDATE"],
    ),
    "an unknown field of an exception": (
        rule(more="  exceptions: [{name: a, fields: [proc.nme]}]\n"), ["LOAD_ERR_VALIDATE"],
    ),
    "a tuple that is too long": (
        rule(more="  exceptions: [{name: a, fields: [proc.name], values: [[a, b]]}]\n"), ["LOAD_ERR_VALIDATE"],
    ),
    "values appended to nothing": (
        rule() + "- {rule: one, exceptions: [{name: a, values: [[b]]}], override: {exceptions: append}}\n",
        ["LOAD_ERR_VALIDATE"],
    ),
    "an exception appended without values": (
        rule() + "- {rule: one, exceptions: [{name: a, fields: [proc.name]}], override: {exceptions: append}}\n",
        ["LOAD_APPEND_NO_VALUES"],
    ),
    "an unused macro": ("- {macro: m, condition: evt.num = 1}\n" + rule(), ["LOAD_UNUSED_MACRO"]),
    "an unused list": ("- {list: l, items: [a]}\n" + rule(), ["LOAD_UNUSED_LIST"]),
    "an undefined macro": (rule(condition="evt.num = 1 and m"), ["LOAD_ERR_VALIDATE"]),
    "a macro in itself": (
        "- {macro: m, condition: m}\n" + rule(condition="evt.num = 1 and m"), ["LOAD_ERR_VALIDATE"],
    ),
    "a macro that comes later": (
        "- {macro: a, condition: b}\n- {macro: b, condition: evt.num = 1}\n" + rule(condition="a"),
        ["LOAD_ERR_VALIDATE", "LOAD_UNUSED_MACRO"],
    ),
    "every event": (rule(condition="proc.name = x"), ["LOAD_NO_EVTTYPE"]),
    "every event, known": (rule(condition="proc.name = x", more="  warn_evttypes: false\n"), []),
    "no event": (rule(condition="evt.type = open and evt.type = close"), []),
    "an unknown field": (rule(condition="evt.type = open and proc.nme = x"), ["LOAD_ERR_COMPILE_CONDITION"]),
    "an unknown field, skipped": (
        rule(condition="evt.type = open and proc.nme = x", more="  skip-if-unknown-filter: true\n"),
        ["LOAD_UNKNOWN_FILTER"],
    ),
    "an unknown type, skipped": (
        rule(condition="evt.type = opn", more="  skip-if-unknown-filter: true\n"), ["LOAD_UNKNOWN_FILTER"],
    ),
    "a wrong operator, not skipped": (
        rule(condition="evt.num contains x", more="  skip-if-unknown-filter: true\n"),
        ["LOAD_ERR_COMPILE_CONDITION"],
    ),
    "an output of an unknown field": (rule().replace("output: o", "output: '%proc.nme'"), ["LOAD_ERR_COMPILE_OUTPUT"]),
    "container.info": (rule().replace("output: o", "output: 'o %container.info'"), ["LOAD_DEPRECATED_ITEM"]),
    "a direction": (rule(condition="evt.type = open and evt.dir = <"), ["LOAD_DEPRECATED_ITEM"]),
    "a constant that is a field": (rule(condition="evt.type = open and proc.name = fd.name"), ["LOAD_COMPILE_CONDITION"]),
    "a simple expression": (rule(condition="evt.type = open and proc.name regex 'a.*'"), ["LOAD_COMPILE_CONDITION"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CODES.values(), ids=CODES)
def test_a_file_gets_these_codes(text: str, expected: list[str]) -> None:
    assert sorted(codes(text)) == sorted(expected)


CHANGES: dict[str, tuple[str, str, Any]] = {
    "condition": (override(condition="append and proc.name = x"), "condition_text", "evt.type = open and proc.name = x"),
    "condition anew": (override(condition="replace evt.num = 1"), "condition_text", "evt.num = 1"),
    "output": (override(output="append p"), "output_text", "o p"),
    "output anew": (override(output="replace p"), "output_text", "p"),
    "description": (override(desc="append e"), "desc", "d e"),
    "tags": (override(tags="append [z, a]"), "tags", ("a", "m", "z")),
    "tags anew": (override(tags="replace [z, a]"), "tags", ("a", "z")),
    "priority": (override(priority="replace alert"), "priority", 1),
    "enabled": (override(enabled="replace false"), "enabled", False),
    "capture": (override(capture="replace true"), "capture", True),
    "duration": (override(capture_duration="replace 7"), "capture_duration", 7),
    "both, appends first": (
        "- {rule: one, condition: evt.num = 2, desc: e, override: {condition: replace, desc: append}}\n",
        "condition_text",
        "evt.num = 2",
    ),
    "the old append": (
        "- {rule: one, condition: and evt.num = 2, enabled: false, append: true}\n", "enabled", True,
    ),
    "the old toggle": ("- {rule: one, enabled: false}\n", "enabled", False),
    "anew": (rule(priority="EMERGENCY"), "priority", 0),
    "anew, without tags": (rule(), "tags", ()),
    "the same source": (rule(more="  source: syscall\n"), "source", "syscall"),
    "no source": ("- {rule: one, source: '', desc: e, override: {desc: append}}\n", "source", "syscall"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "key", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_rule_is_changed(change: str, key: str, expected: Any) -> None:
    assert getattr(one(rule(more="  tags: [m]\n"), change), key) == expected


LISTS = {
    "its members": ("- {list: a, items: [x, y z]}\n", "proc.name in (a)", "proc.name in (x, 'y z')"),
    "among others": ("- {list: a, items: [x]}\n", "proc.name in (w, a)", "proc.name in (w, x)"),
    "as part of a word": ("- {list: a, items: [x]}\n", "proc.name in (ab, b-a)", "proc.name in (ab, b-a)"),
    "beside an equals sign": ("- {list: a, items: [x]}\n", "proc.name=a", "proc.name = x"),
    "empty, first": ("- {list: a, items: []}\n", "proc.name in (a, b)", "proc.name in (b)"),
    "empty, last": ("- {list: a, items: []}\n", "proc.name in (b, a)", "proc.name in (b)"),
    "empty, alone": ("- {list: a, items: []}\n", "proc.name in (a)", "proc.name in ()"),
    "in a list": (
        "- {list: a, items: [x]}\n- {list: b, items: [a, y]}\n", "proc.name in (b)", "proc.name in (x, y)",
    ),
    "in a list that is older": (
        "- {list: b, items: [a, y]}\n- {list: a, items: [x]}\n", "proc.name in (b)", "proc.name in (x, y)",
    ),
    "two levels down": (
        "- {list: a, items: [x]}\n- {list: b, items: [a]}\n- {list: c, items: [b]}\n",
        "proc.name in (c)", "proc.name in (a)",
    ),
    "appended to": (
        "- {list: a, items: [x]}\n- {list: a, items: [y], override: {items: append}}\n",
        "proc.name in (a)", "proc.name in (x, y)",
    ),
    "appended to as of old": (
        "- {list: a, items: [x]}\n- {list: a, items: [y], append: true}\n",
        "proc.name in (a)", "proc.name in (x, y)",
    ),
    "defined anew": (
        "- {list: a, items: [x]}\n- {list: a, items: [y]}\n", "proc.name in (a)", "proc.name in (y)",
    ),
    "a macro": ("- {macro: m, condition: proc.name = x}\n", "m", "proc.name = x"),
    "a macro appended to": (
        "- {macro: m, condition: proc.name = x}\n- {macro: m, condition: or proc.name = y, override: {condition: append}}\n",
        "m", "(proc.name = x or proc.name = y)",
    ),
    "a macro in a macro": (
        "- {macro: a, condition: proc.name = x}\n- {macro: m, condition: not a}\n", "m", "not proc.name = x",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "condition", "expected"), LISTS.values(), ids=LISTS)
def test_a_name_is_put_in_place(text: str, condition: str, expected: str) -> None:
    found = one(text + rule(condition=f"evt.type = open and {condition}"))
    assert found.condition == one(rule(condition=f"evt.type = open and {expected}")).condition


EXCEPTIONS = {
    "tuples": (
        "{name: e, fields: [proc.name, fd.name], comps: [=, startswith], values: [[a, /b], [c, /d e]]}",
        "not ((proc.name = a and fd.name startswith /b) or (proc.name = c and fd.name startswith '/d e'))",
    ),
    "equality by default": ("{name: e, fields: [proc.name], values: [[a]]}", "not ((proc.name = a))"),
    "one field": ("{name: e, fields: proc.name, values: [a, b c]}", "not proc.name in (a, 'b c')"),
    "one field by prefix": (
        "{name: e, fields: fd.name, comps: pmatch, values: [/a, /b]}", "not fd.name pmatch (/a, /b)",
    ),
    "one field by a modifier": (
        "{name: e, fields: fd.name, comps: startswith  anyof, values: [/a, /b]}",
        "not fd.name startswith anyof (/a, /b)",
    ),
    "a list in a tuple": (
        "{name: e, fields: [proc.name, fd.name], comps: [in, =], values: [[[a, b], c]]}",
        "not ((proc.name in (a, b) and fd.name = c))",
    ),
    "a word under in": (
        "{name: e, fields: [proc.name], comps: [in], values: [[a]]}", "not ((proc.name in (a)))",
    ),
    "a list by name": ("{name: e, fields: proc.name, values: [l]}", "not proc.name in (x, y)"),
    "a transformer": ("{name: e, fields: [tolower(proc.name)], values: [[a]]}", "not ((tolower(proc.name) = a))"),
}  # fmt: skip


@pytest.mark.parametrize(("exception", "expected"), EXCEPTIONS.values(), ids=EXCEPTIONS)
def test_an_exception_is_a_negation(exception: str, expected: str) -> None:
    text = "- {list: l, items: [x, y]}\n" + rule(condition="evt.type = open or evt.type = close")
    found = one(text + f"  exceptions:\n    - {exception}\n")
    whole = one(rule(condition=f"(evt.type = open or evt.type = close) and {expected}"))
    assert found.condition == whole.condition


def test_values_are_appended_to_an_exception() -> None:
    text = rule(more="  exceptions: [{name: e, fields: proc.name, values: [a]}]\n")
    more = "- {rule: one, exceptions: [{name: e, values: [b]}], override: {exceptions: append}}\n"
    expected = one(rule(condition="(evt.type = open) and not proc.name in (a, b)"))
    assert one(text, more).condition == expected.condition


def test_exceptions_are_replaced_as_a_whole() -> None:
    text = rule(more="  exceptions: [{name: e, fields: proc.name, values: [a]}]\n")
    more = "- {rule: one, exceptions: [{name: f, fields: fd.name, comps: in, values: [b]}], override: {exceptions: replace}}\n"
    expected = one(rule(condition="(evt.type = open) and not fd.name in (b)"))
    assert one(text, more).condition == expected.condition


def test_a_rule_keeps_its_place_when_it_is_defined_anew() -> None:
    loaded = load(rule("a") + rule("b"), rule("a", "evt.num = 1"))
    assert [(one.name, one.condition_text) for one in loaded.rules] == [
        ("a", "evt.num = 1"),
        ("b", "evt.type = open"),
    ]


def test_a_limit_of_priority_leaves_rules_out() -> None:
    text = "".join(
        rule(name, priority=name) for name in ("EMERGENCY", "error", "Info", "INFORMATIONAL", "DEBUG")
    )
    kept = load(text, priority=6).rules
    assert [one.priority_name for one in kept] == ["Emergency", "Error", "Informational", "Informational"]


@pytest.mark.parametrize(
    ("switches", "on"),
    [
        ((), "ab"),
        ((Switch(False, rule="*"),), ""),
        ((Switch(False, rule="*"), Switch(True, rule="a*")), "a"),
        ((Switch(True, rule="*"), Switch(False, tag="x")), "bc"),
        ((Switch(False, rule="b", tag="x"),), ""),
        ((Switch(True, tag="*"),), "ab"),
        ((Switch(False, rule="[a]b?"),), "ab"),
        ((Switch(False, rule="B*"),), "ab"),
    ],
)
def test_rules_are_switched_in_order(switches: tuple[Switch, ...], on: str) -> None:
    text = rule("a 1", more="  tags: [x]\n") + rule("b") + rule("c", more="  enabled: false\n")
    assert "".join(one.name[0] for one in load(text, switches=switches).active) == on


def test_a_file_sees_only_what_stands_in_it_or_before_it() -> None:
    user, macro = rule(condition="evt.type = open and m"), "- {macro: m, condition: proc.name = x}\n"
    assert load(macro, user).errors == []
    assert load(user + macro).errors == []
    assert [problem.code for problem in load(user, macro).errors] == ["LOAD_ERR_VALIDATE"]
