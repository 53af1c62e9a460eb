"""What people run today loads without a warning and holds on the same events; the fields are those of the field."""

import json
from pathlib import Path

import pytest

from eyas import rules, scene
from eyas.sources import members

HERE = Path(__file__).parent
FILES = sorted((HERE / "published").glob("*.yaml"))
OURS = sorted(rules.SERVICES.glob("*.yaml"))
REFERENCE = Path(__file__).resolve().parents[3] / "shared/reference/plugin-fields.json"
TYPES = {"string": "text", "uint64": "uint"}


def load(file: Path) -> rules.Loaded:
    return rules.load([file], members.known(), rules.Settings(enable_all=True))


@pytest.mark.parametrize("file", [*FILES, *OURS], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_rules_load_without_a_warning_and_do_what_their_tests_say(file: Path) -> None:
    loaded = load(file)
    problems = [p for p in loaded.problems if not p.code.startswith("LOAD_UNUSED")]
    assert not problems, [problem.text() for problem in problems]
    for rule in loaded.rules:
        for verdict in scene.judge(rule):
            assert verdict.passed, f"{rule.name}: {verdict.problem.text() if verdict.problem else ''}"


def test_every_source_has_its_rules_with_tests_and_techniques() -> None:
    for file in OURS:
        found = load(file).rules
        assert {rule.source for rule in found} == {file.stem}
        assert len(found) >= (20 if file.stem == "aws_cloudtrail" else 10)
        for rule in found:
            assert {test.catches for test in rule.tests} == {True, False}, rule.name
            assert any(tag.startswith("T1") for tag in rule.tags), rule.name


@pytest.mark.parametrize("plugin", ["cloudtrail", "k8saudit", "okta", "github", "gcpaudit"])
def test_fields_have_the_names_types_and_arguments_of_the_field(plugin: str) -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is missing")
    facts = json.loads(REFERENCE.read_text())["plugins"][plugin]
    source = members.find(facts["source"])
    assert source is not None
    ours = {field.name: field for field in source.fields}
    for fact in facts["fields"]:
        field = ours[fact["name"]]
        argument = fact.get("arg") or {}
        assert (field.type, field.list) == (TYPES[fact["type"]], fact["list"]), fact["name"]
        assert (field.arg, field.required) == (
            (argument.get("kinds") or ["none"])[0],
            argument.get("required", False),
        ), fact["name"]
