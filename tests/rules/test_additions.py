"""What the configuration adds to outputs and which rules it takes, from the options to the alerts of a replay."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eyas import scene
from eyas.cli.entry import group
from eyas.errors import UsageError

RULE = """
- rule: {name}
  desc: d
  condition: evt.type = execve and proc.name = sh and {condition}
  output: started %proc.name
  priority: {priority}
  tags: {tags}
"""
RULES = (
    RULE.format(name="shell", condition="static.site = north", priority="INFO", tags="[a, b]")
    + RULE.format(name="never", condition="not static.site = north", priority="INFO", tags="[]")
    + RULE.format(name="upper", condition="toupper(static.site) = NORTH", priority="DEBUG", tags="[a]")
)


def replay(folder: Path, *options: str) -> Result:
    rules, capture = folder / "rules.yaml", folder / "shell.scap"
    rules.write_text(RULES)
    scene.film(scene.perform("bash exec /bin/sh"), capture)
    words = [word for option in ("static_fields.site=north", *options) for word in ("-o", option)]
    arguments = ["replay", str(capture), "-r", str(rules), "--json", *words]
    return CliRunner().invoke(group, arguments, standalone_mode=False)


def alerts(folder: Path, *options: str) -> dict[str, Any]:
    done = replay(folder, *options)
    assert done.exception is None, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["rule"]: line for line in lines}


def test_static_fields_are_constants_in_conditions_and_outputs(tmp_path: Path) -> None:
    found = alerts(tmp_path, "append_output[]={extra_output: 'at %static.site'}")
    assert set(found) == {"shell", "upper"}
    assert found["shell"]["output"].endswith("started sh at north")
    assert found["shell"]["output_fields"]["static.site"] == "north"


@pytest.mark.parametrize(
    ("match", "rules"),
    [
        ("{}", {"shell", "upper"}),
        ("{rule: shell}", {"shell"}),
        ("{rule: she}", set()),
        ("{tags: [a]}", {"shell", "upper"}),
        ("{tags: [b, a]}", {"shell"}),
        ("{source: syscall}", {"shell", "upper"}),
        ("{source: okta}", set()),
    ],
)
def test_an_addition_concerns_the_rules_that_it_matches(tmp_path: Path, match: str, rules: set[str]) -> None:
    found = alerts(tmp_path, f"append_output[]={{match: {match}, extra_output: more}}")
    assert {name for name, one in found.items() if one["output"].endswith(" more")} == rules


def test_extra_fields_are_typed_values_or_texts_beside_the_output(tmp_path: Path) -> None:
    extra = "[evt.num, {who: '%proc.name on %static.site'}]"
    shell = alerts(tmp_path, f"append_output[]={{extra_fields: {extra}}}")["shell"]
    assert isinstance(shell["output_fields"]["evt.num"], int)
    assert shell["output_fields"]["who"] == "sh on north"
    assert shell["output"].endswith("started sh")


def test_additions_join_in_their_order(tmp_path: Path) -> None:
    found = alerts(tmp_path, "append_output[]={extra_output: one}", "append_output[]={extra_output: two}")
    assert found["shell"]["output"].endswith("started sh one two")


def test_suggested_output_names_fields_with_underscores(tmp_path: Path) -> None:
    shell = alerts(tmp_path, "append_output[]={suggested_output: true}")["shell"]
    assert " container_id=" in shell["output"]
    assert " static_site=north" in shell["output"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{extra_output: '%no.field'}", "append_output: unknown filter: no.field"),
        ("{extra_fields: [no.field]}", "append_output: unknown filter: no.field"),
        ("{extra_fields: ['proc.name and']}", "append_output: expected one field, found 'proc.name and'"),
        ("{extra_outputs: x}", "unknown key 'append_output.0.extra_outputs'"),
        ("{match: {tag: x}}", "unknown key 'append_output.0.match.tag'"),
    ],
)
def test_a_wrong_addition_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    done = replay(tmp_path, f"append_output[]={entry}")
    assert isinstance(done.exception, UsageError)
    assert message in f"{done.output}{done.exception}"


def test_rules_are_switched_in_the_order_of_the_options(tmp_path: Path) -> None:
    assert set(alerts(tmp_path, "rules[].disable.rule=*", "rules[].enable.tag=b")) == {"shell"}


def test_rules_below_the_priority_are_left_out(tmp_path: Path) -> None:
    assert set(alerts(tmp_path, "priority=info")) == {"shell"}


def test_first_gives_only_the_alert_of_the_first_rule(tmp_path: Path) -> None:
    assert set(alerts(tmp_path, "rule_matching=first")) == {"shell"}


@pytest.mark.parametrize(
    ("member", "default"), [("output", True), ("message", False), ("output_fields", True), ("tags", True)]
)
def test_members_of_json_alerts_are_chosen(tmp_path: Path, member: str, default: bool) -> None:
    assert (member in alerts(tmp_path)["shell"]) is default
    turned = alerts(tmp_path, f"json_include_{member}_property={str(not default).lower()}")["shell"]
    assert (member in turned) is not default


DATA = """
- rule: data
  desc: d
  condition: evt.type = write and evt.buffer contains secret
  output: "%evt.buffer|%evt.arg.data|%proc.name"
  priority: INFO
"""


@pytest.mark.parametrize(("base64", "shown"), [("false", "my secret"), ("true", "bXkgc2VjcmV0")])
def test_buffers_are_shown_as_base64_and_compared_as_bytes(tmp_path: Path, base64: str, shown: str) -> None:
    rules, capture = tmp_path / "rules.yaml", tmp_path / "data.scap"
    rules.write_text(DATA)
    scene.film(scene.perform("bash write res=9 data='my secret'"), capture)
    options = ["-r", str(rules), "--json", "-o", f"buffer_format_base64={base64}"]
    done = CliRunner().invoke(group, ["replay", str(capture), *options], standalone_mode=False)
    alert = json.loads(done.stdout.splitlines()[-1])
    assert alert["output"].endswith(f"{shown}|{shown}|bash")
    assert alert["output_fields"]["evt.buffer"] == shown


def test_run_plays_the_capture_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES.replace("static.site", "proc.pname"))
    scene.film(scene.perform("north exec /bin/bash\nnorth exec /bin/sh"), tmp_path / "shell.scap")
    options = ["-r", str(tmp_path / "rules.yaml"), "-o", "engine.kind=replay"]
    missing = CliRunner().invoke(group, ["run", *options], standalone_mode=False)
    assert isinstance(missing.exception, UsageError)
    options += ["-o", f"engine.replay.capture_file={tmp_path / 'shell.scap'}"]
    played = CliRunner().invoke(group, ["run", *options], standalone_mode=False)
    replayed = CliRunner().invoke(
        group,
        ["replay", str(tmp_path / "shell.scap"), "-r", str(tmp_path / "rules.yaml")],
        standalone_mode=False,
    )
    assert played.stdout == replayed.stdout != ""
