"""A plugin written in C, compiled here against the documented interface, as a source of events and fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from eyas import rules
from eyas.cli import fields
from eyas.cli import replay as replaying
from eyas.cli.rules import check
from eyas.config.schema import Plugin
from eyas.errors import PassingError, UsageError
from eyas.intake.judging import Judge
from eyas.sources import members
from eyas.sources.binary.configured import Plugins, configured
from eyas.sources.binary.stream import parcels, probe
from eyas.transports.parcel import Link
from eyas.transports.status import Status
from tests.binary.conftest import Compile, write_rules

Watch = Callable[..., list[str]]


def loaded(library: Path, config: str = "", parameters: str = "window") -> Plugins:
    entry = Plugin(name="birds", library_path=str(library), init_config=config, open_params=parameters)
    return configured([entry], ["birds"])[0]


@pytest.fixture
def watch(library: Path, tmp_path: Path) -> Watch:
    """Messages of the alerts that a condition raises on the events of the plugin."""

    def run(condition: str, output: str, config: str = "") -> list[str]:
        plugins = loaded(library, config)
        known = plugins.known(members.known())
        needs = {"required_plugin_versions": [{"name": "birds", "version": "1.0.0"}]}
        path = tmp_path / "rules.yaml"
        write_rules(path, source="birds", condition=condition, output=output, needs=needs)
        found = rules.load([path], known)
        assert not found.problems, [problem.text() for problem in found.problems]
        plugins.ask(found.active)
        stream = plugins.streams[0]
        judge = Judge(stream.source, found.active, known)
        judged = [judge.judge(parcel) for parcel in parcels(stream, Link(Status("birds")))]
        assert not any(one.refusals for one in judged)
        return [alert.message for one in judged for alert in one.alerts]

    return run


def test_its_events_go_through_the_rules_with_its_fields(watch: Watch) -> None:
    output = "%birds.name %birds.letter[1] %birds.letters %birds.seen %birds.raptor %birds.from %birds.key[a.b] %birds.key"
    assert watch("birds.name exists", output) == [
        "wren r (w,n) 1 false 192.0.2.1 a.b none",
        "kestrel e (k,l) 2 true 192.0.2.1 a.b none",
        "swift w (s,t) 3 false 192.0.2.1 a.b none",
    ]


def test_conditions_see_types_lists_and_arguments(watch: Watch) -> None:
    for condition, names in [
        ("birds.raptor = true", ["kestrel"]),
        ("birds.seen > 1 and not birds.raptor = true", ["swift"]),
        ("birds.letters intersects (w)", ["wren"]),
        ("birds.letter[6] exists", ["kestrel"]),
        ("birds.from = 192.0.2.1", ["wren", "kestrel", "swift"]),
        ('json.value[/bird] startswith "s"', ["swift"]),
    ]:
        assert watch(condition, "%birds.name") == names, condition


def test_generic_fields_tell_where_an_event_comes_from(watch: Watch) -> None:
    output = "%evt.num %evt.source %evt.pluginname %evt.plugininfo %evt.is_async %jevt.rawtime"
    assert watch("birds.name = wren", output) == ["1 birds birds event 1 of birds false 1700000000000000000"]


def test_an_asynchronous_event_has_a_name(watch: Watch) -> None:
    output = "%evt.asynctype %evt.is_async %birds.name"
    assert watch("evt.is_async = true", output, "aside") == ["window_opened true <NA>"]


def test_what_a_plugin_says_of_its_start_is_told(library: Path) -> None:
    with pytest.raises(Exception, match="cannot start: told to refuse"):
        probe(loaded(library, "refuse").streams[0])
    with pytest.raises(PassingError, match="cannot open 'door': no such place"):
        probe(loaded(library, parameters="door").streams[0])
    assert probe(loaded(library).streams[0]) == "birds opens 'window'"


def test_what_is_no_plugin_is_refused(library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.so"
    other.write_bytes(b"not a library")
    with pytest.raises(UsageError, match=r"plugin birds: .*other\.so"):
        loaded(other)
    with pytest.raises(UsageError, match=r"plugin birds: .*missing\.so is missing"):
        loaded(tmp_path / "missing.so")
    with pytest.raises(UsageError, match="leaves the plugin folder"):
        loaded(Path("../../etc/passwd"))
    with pytest.raises(UsageError, match="load_plugins: no plugin is called 'fish'"):
        configured([Plugin(name="birds", library_path=str(library))], ["fish"])


def test_a_plugin_whose_source_is_part_of_eyas_may_be_missing(tmp_path: Path) -> None:
    entry = Plugin(name="k8saudit", library_path="libk8saudit.so")
    own = Plugin(name="container", library_path="libcontainer.so")
    plugins, warnings = configured([entry, own], None, tmp_path)
    assert (plugins.streams, len(warnings)) == ((), 1)
    assert "its rules run on the source 'k8s_audit'" in warnings[0]


def test_commands_know_the_fields_of_a_configured_plugin(library: Path, tmp_path: Path) -> None:
    config = tmp_path / "falco.yaml"
    config.write_text(f"plugins: [{{name: birds, library_path: {library}}}]\nload_plugins: [birds]\n")
    file = tmp_path / "rules.yaml"
    write_rules(file, source="birds", condition="birds.seen > 1", output="%birds.name")
    run = CliRunner().invoke
    assert "birds.raptor" in run(fields.command, ["birds", "-c", str(config)]).output
    assert "1 rule good in 1 file, 0 errors" in run(check.command, [str(file), "-c", str(config)]).output


def test_a_plugin_without_events_adds_fields_to_a_source_of_ours(looker: Path, tmp_path: Path) -> None:
    config = tmp_path / "falco.yaml"
    entry = {"name": "birds", "library_path": str(looker), "init_config": {"eyes": 2, "mode": "crash"}}
    config.write_text(
        json.dumps({"plugins": [entry], "load_plugins": ["birds"], "alerts": {"enabled": False}})
    )
    file = tmp_path / "rules.yaml"
    write_rules(file, source="json", condition="birds.raptor = true", output="%birds.letters")
    log = tmp_path / "log.json"
    log.write_text(
        '{"bird":"wren","time":"2026-01-31T10:00:00Z"}\n{broken\n{"records":[{"bird":"kestrel","time":"2026-01-31T10:00:00Z"}]}\n'
    )

    def replay() -> str:
        call = ["--source", "json", str(log), "-c", str(config), "-r", str(file), "--json"]
        return CliRunner().invoke(replaying.command, call).output

    assert '"output_fields": {"birds.letters": ["k", "l"]' in replay()
    log.write_text('{"bird":"swift","time":"2026-01-31T10:00:00Z"}\n')
    assert "its process was ended by SIGSEGV" in replay()


def test_a_plugin_that_wants_events_of_the_kernel_is_told_that_none_come(compiled: Compile) -> None:
    wants = compiled("plugin", "LOOKS_ONLY", "KERNEL_TOO")
    entry = Plugin(name="birds", library_path=str(wants), init_config={"eyes": 2})
    said = (
        "plugin birds: no event of the kernel reaches binary plugins; rules cannot name its fields for those"
    )
    assert configured([entry], None)[1] == [said]


def test_a_configuration_that_does_not_fit_the_schema_is_refused(looker: Path) -> None:
    for config, said in [
        ({}, "init_config: 'eyes' is missing"),
        ({"eyes": "two"}, "init_config.eyes: expected integer, found 'two'"),
        ({"eyes": 2, "mode": "fly"}, "init_config.mode: expected one of crash, found 'fly'"),
        ({"eyes": 2, "wings": 2}, "init_config: unknown key 'wings'"),
        ("no json", "init_config is not JSON"),
    ]:
        entry = Plugin(name="birds", library_path=str(looker), init_config=config)
        with pytest.raises(UsageError) as raised:
            configured([entry], None)
        assert f"plugin birds: {said}" in str(raised.value)
