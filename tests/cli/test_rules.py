"""`eyas rules`: what a person sees, and exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eyas.cli.entry import group

GOOD = """\
- rule: shell below nginx
  desc: d
  condition: evt.type = execve and proc.name = sh and proc.pname = nginx
  output: shell %proc.cmdline
  priority: WARNING
  tags: [T1059.004, host]
  tests:
    - catches: a shell
      events: nginx spawn /bin/sh -c id
    - ignores: another parent
      events: bash spawn /bin/sh
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(group, ["rules", *map(str, arguments)], standalone_mode=False)


def test_check_counts_what_is_good(good: Path) -> None:
    result = run("check", good)
    assert (result.output, result.return_value) == ("1 rule good in 1 file, 0 errors, 0 warnings\n", 0)


def test_check_shows_every_fault_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        GOOD.replace("proc.name =", "proc.nme =") + "- macro: m\n  condition: evt.num = x\n- lst: a\n"
    )
    result = run("check", path)
    assert result.return_value == 1
    assert f"{path}:3:36: error: " in result.output
    assert "hint: did you mean" in result.output
    assert f"{path}:13:24: warning: " in result.output
    assert "LOAD_UNKNOWN_ITEM" in result.output
    body = json.loads(run("check", path, "--json").output)["falco_load_results"][0]
    assert body["successful"] is False
    assert body["errors"][0]["line"] == 3


def test_test_passes_and_says_what_it_saw(good: Path) -> None:
    result = run("test", good, "-v")
    assert result.return_value == 0
    assert "ok     catches a shell" in result.output
    assert "shell sh -c id" in result.output
    assert result.output.endswith("2 tests of 1 rule: 0 failed\n")


def test_test_names_what_was_missing_on_the_nearest_event(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace("nginx spawn", "apache2 spawn"))
    result = run("test", path)
    assert result.return_value == 1
    assert 'does not hold: proc.pname = "nginx", found "apache2"' in result.output


def test_test_fails_when_a_rule_holds_that_must_not(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace("bash spawn", "nginx spawn"))
    result = run("test", path)
    assert result.return_value == 1
    assert f"{path}:10:7: error: the rule holds, it should not: shell sh" in result.output
    body = json.loads(run("test", path, "--json").output)
    assert [test["passed"] for test in body["tests"]] == [True, False]
    assert body["tests"][1]["problem"]["line"] == 10


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("nginx spawn", "nginx swapn", "9:21", "nothing is called `swapn`"),
        ("nginx spawn /bin/sh -c id", "nginx open /x mode=rwx", "9:21", "mode of openat"),
        ("events: bash", "event: bash", "11:7", "a test has no key 'event'"),
        ("- ignores: another parent", "- seen: another parent", "10:7", "a test has no key 'seen'"),
    ],
)
def test_a_bad_description_has_file_line_and_column(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace(old, new))
    result = run("test", path)
    assert result.return_value == 1
    assert f"{path}:{place}: " in result.output
    assert message in result.output


def test_list_and_coverage_name_techniques(good: Path) -> None:
    assert run("list", good).output == "Warning       shell below nginx  T1059.004\n"
    assert run("list", good, "--tag", "container").output == ""
    assert "1 rule  T1059.004  Unix Shell" in run("coverage", good).output
    assert json.loads(run("coverage", good, "--json").output)["techniques"][0]["rules"] == [
        "shell below nginx"
    ]


def test_explain_shows_what_a_rule_needs(good: Path) -> None:
    output = run("explain", "shell below nginx", "-r", good).output
    assert "events  execve" in output
    assert "fields  evt.type, proc.name, proc.pname" in output
    assert run("explain", "E101").output.startswith("# E101 unknown-field")


def test_explain_shows_which_part_held(good: Path, tmp_path: Path) -> None:
    from eyas import scene

    capture = tmp_path / "x.scap"
    scene.film(scene.perform("bash exec /bin/sh"), capture)
    result = run("explain", "shell below nginx", "-r", good, "--capture", capture, "--event", 1)
    assert "does not hold on event 1" in result.output
    assert 'yes    proc.name = "sh"   # "sh"' in result.output
    assert 'no     proc.pname = "nginx"   # "systemd"' in result.output


def test_explain_lists_the_events_on_which_a_rule_holds(good: Path, tmp_path: Path) -> None:
    from eyas import scene

    capture = tmp_path / "x.scap"
    scene.film(scene.perform("bash exec /bin/sh\nnginx spawn /bin/sh -c id"), capture)
    output = run("explain", "shell below nginx", "-r", good, "--capture", capture).output
    assert output.split("\n")[0].startswith("shell below nginx  holds on 1 event of ")
    assert output.split("\n")[1] == "         4 execve       shell sh -c id"


def test_fmt_writes_checks_and_shows(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace("  desc: d\n", "").replace("  priority", "  desc: d\n  priority"))
    path.chmod(0o640)
    check = run("fmt", "--check", path)
    assert check.return_value == 1
    assert "+  desc: d" in run("fmt", "--diff", path).output
    assert run("fmt", path).return_value == 0
    assert path.read_text() == GOOD
    assert path.stat().st_mode & 0o777 == 0o640
    assert run("fmt", "--check", path).return_value == 0
    assert [one.name for one in tmp_path.iterdir()] == ["r.yaml"]


def test_fmt_names_file_and_line_of_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("- rule: a\n\tdesc: b\n")
    result = run("fmt", path)
    assert result.return_value == 3
    assert f"{path}:2: error: " in result.output
    assert run("fmt", tmp_path / "none.yaml").return_value == 3


def test_explain_shows_which_part_held_on_a_record(tmp_path: Path) -> None:
    log = tmp_path / "audit.json"
    log.write_text('{"verb": "get"}\n{"verb": "create", "stageTimestamp": "2026-01-31T10:00:00Z"}\n')
    file = tmp_path / "r.yaml"
    rule = {
        "rule": "made",
        "desc": "d",
        "condition": "ka.verb = create and ka.user.name = eve",
        "output": "x",
    }
    file.write_text(json.dumps([{**rule, "priority": "NOTICE", "source": "k8s_audit"}]))
    output = run("explain", "made", "-r", file, "--capture", log, "--event", 1).output
    assert "made  does not hold on event 1" in output
    assert 'does not hold: ka.user.name = "eve", found no value' in output
