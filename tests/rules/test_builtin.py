"""The rules we ship: sound, tested, tagged."""

import functools
import re

import pytest

from eyas import alert, catalog, rules, scene
from eyas.rules import Compiled

TACTICS = {
    "initial_access", "execution", "persistence", "privilege_escalation", "defense_evasion", "credential_access", "discovery",
    "lateral_movement", "collection", "command_and_control", "exfiltration", "impact",
}  # fmt: skip


@functools.cache
def shipped() -> rules.Loaded:
    return rules.load([rules.BUILTIN], catalog.load())


def test_they_load_without_a_word() -> None:
    assert [problem.text() for problem in shipped().problems] == []
    assert len(shipped().active) == len(shipped().rules) >= 40


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: rule.name)
def test_a_rule_catches_and_ignores_what_it_says(rule: Compiled) -> None:
    kinds = {example.catches for example in rule.tests}
    assert kinds == {True, False}, "a rule needs events it must catch and events it must not"
    for verdict in scene.judge(rule):
        assert verdict.passed, verdict.problem and verdict.problem.text()


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: rule.name)
def test_a_rule_names_tactic_and_technique(rule: Compiled) -> None:
    assert alert.techniques(rule.tags)
    tactics = [tag.removeprefix("mitre_") for tag in rule.tags if tag.startswith("mitre_")]
    assert tactics
    assert set(tactics) <= TACTICS
    assert {"host", "container"} & set(rule.tags)


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: rule.name)
def test_an_output_is_a_sentence_with_its_facts(rule: Compiled) -> None:
    assert re.fullmatch(r"[a-z][^()%]+ \([a-z]+=%.*\)", rule.output_text, re.DOTALL)
    assert "command=%proc.cmdline" in rule.output_text
    assert rule.desc.strip().endswith(".")
