"""Whose process it was, while it happens."""

from __future__ import annotations

import json
import select
import signal
import uuid
from collections.abc import Iterator

from eyas import _core, catalog, pipeline, rules, watch
from eyas.rules import document
from tests.containers.conftest import IMAGE, LIMITS

RULE = """
- rule: ran in a container
  desc: A program is started in a container.
  condition: evt.type in (execve, execveat) and container.id != host and proc.name in (cat, sh)
  output: "%proc.cmdline %container.id %container.name %container.image.repository %user.name
    %k8smeta.deployment.name %k8s.ns.label[team]"
  priority: WARNING
"""


def test_a_container_that_lives_briefly_is_named_and_so_is_its_user(start, podman, tmp_path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULE)
    name = f"eyas-{uuid.uuid4().hex[:8]}"
    run = start("run", "-r", str(path), "--json")
    run.says("watching")
    podman("run", "--rm", "-u", "1234", *LIMITS, "--name", name, IMAGE, "/bin/cat", "/etc/passwd")
    alerts = (run.alert("ran in a container")["output_fields"] for _ in range(100))
    mine = (one for one in alerts if one["container.name"] == name)
    found = next(one for one in mine if one["user.name"] == "alice")
    assert found["container.image.repository"] == "localhost/eyas-test"
    run.signal(signal.SIGINT)
    assert run.ends()[0] == 0


def test_nothing_is_left_of_containers_that_are_gone(start, podman, tmp_path) -> None:
    path, figures = tmp_path / "rules.yaml", tmp_path / "figures.json"
    path.write_text(RULE)
    run = start("run", "-r", str(path), "--json", "--stats", str(figures))
    run.says("watching")
    names = {f"eyas-{uuid.uuid4().hex[:8]}" for _ in range(10)}
    for name in names:
        podman("run", "--rm", *LIMITS, "--name", name, IMAGE, "/bin/cat", "/etc/passwd")
    run.signal(signal.SIGINT)
    assert run.ends()[0] == 0
    named = {alert["output_fields"]["container.name"] for alert in run.alerts()}
    assert names <= named
    known = json.loads(figures.read_text())["known"]
    assert known["n_added_threads"] - known["n_removed_threads"] == known["n_threads"] < 5000


def test_a_user_has_the_name_that_the_container_gives(start, podman, sleeper, tmp_path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(RULE)
    run = start("run", "-r", str(path), "--json")
    run.says("watching")
    names = []
    while "alice" not in names:
        podman("exec", "-u", "1234", sleeper[0], "/bin/sh", "-c", "exit 0")
        names.append(run.alert("ran in a container")["output_fields"]["user.name"])
        assert len(names) < 20


def test_an_alert_is_amended_under_its_id_when_the_description_comes(machine, podman, sleeper) -> None:
    name, number = sleeper
    loaded = rules.load_documents([document.parse("t.yaml", RULE)], catalog.load(), rules.Settings())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    live = _core.Live(program, watch.needed(loaded.active, catalog.load()))
    assert number[:12] in [question.container for question in next(reports(live)).questions]
    podman("exec", name, "/bin/sh", "-c", "exit 0")
    first = next(found for report in reports(live) for found in report.found)
    pod = {"deployment": {"name": "web"}, "ns": {"labels": {"team": "falcons"}}}
    told = {"id": number[:12], "name": name, "k8s": pod}
    live.tell("container", {"json": json.dumps({"container": told})})
    second = next(found for report in reports(live) for found in report.found if found.amends)
    before, after = (pipeline.alert_of(f.matches[0], loaded.active[0], "") for f in (first, second))
    assert before.eyas["id"] == after.eyas["id"]
    assert (before.fields["container.name"], after.fields["container.name"]) == (None, name)
    assert before.fields["proc.cmdline"] == after.fields["proc.cmdline"]
    assert after.fields["k8smeta.deployment.name"] == "web"
    assert after.fields["k8s.ns.label[team]"] == "falcons"
    live.close()


LATE = """
- rule: by its name
  desc: A program is started in a container of a name, below another program.
  condition: >
    evt.type in (execve, execveat) and container.name = "the-one" and proc.args contains MARK
    and proc.aname exists and not proc.pname = cat
  output: "%proc.cmdline %container.name %user.name"
  priority: WARNING

- rule: by another name
  desc: As above.
  condition: evt.type in (execve, execveat) and container.name = "another" and proc.args contains MARK
  output: "%proc.cmdline %container.name"
  priority: WARNING

- rule: by no name
  desc: Holds before the name is known; it is not told twice.
  condition: >
    evt.type in (execve, execveat) and proc.name in (cat, sh) and not container.name = "another"
    and proc.args contains MARK
  output: "%proc.cmdline %container.name"
  priority: WARNING
"""


def test_a_rule_that_asks_for_a_name_holds_when_the_name_comes_later(machine, podman, sleeper) -> None:
    name, number = sleeper
    known = catalog.load()
    loaded = rules.load_documents([document.parse("t.yaml", LATE)], known, rules.Settings())
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    events = watch.described(loaded.active, known)
    live = _core.Live(program, watch.needed(loaded.active, known), described=events)
    podman("exec", name, "/bin/sh", "-c", "/bin/cat /etc/passwd MARK; exit 0")
    seen = [loaded.active[one.rule].name for found in _until(live, 2) for one in found.matches]
    assert seen == ["by no name"] * 2
    live.tell("container", {"json": json.dumps({"container": {"id": number[:12], "name": "the-one"}})})
    late = [(found, one) for found in _until(live, 4) for one in found.matches]
    raised = [pipeline.alert_of(one, loaded.active[one.rule], "") for found, one in late if not found.amends]
    assert [one.rule for one in raised] == ["by its name"] * 2
    assert [one.fields["container.name"] for one in raised] == ["the-one"] * 2
    assert "MARK" in raised[0].fields["proc.cmdline"]
    amended = [loaded.active[one.rule].name for found, one in late if found.amends]
    assert amended == ["by no name"] * 2
    live.close()


def _until(live: _core.Live, count: int) -> list[_core.Found]:
    """What is found, once there are so many matches."""
    found: list[_core.Found] = []
    for report in reports(live):
        found += report.found
        if sum(len(one.matches) for one in found) >= count:
            return found
    raise AssertionError(f"only {found}")


def reports(live: _core.Live) -> Iterator[_core.Report]:
    """What is told, as it comes."""
    while select.select([live], [], [], 30)[0]:
        yield live.take()
