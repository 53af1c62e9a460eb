"""State tables: of the host, and of plugins, seen by the other plugins of a source."""

from __future__ import annotations

from pathlib import Path

from eyas import rules
from eyas.config.schema import Plugin
from eyas.intake.judging import Judge
from eyas.sources import members
from eyas.sources.binary.configured import configured
from eyas.sources.binary.stream import parcels
from eyas.transports.parcel import Link
from eyas.transports.status import Status
from tests.binary.conftest import Compile, write_rules


def messages(compiled: Compile, folder: Path, output: str) -> list[str]:
    made = {"keeper": compiled("tables", "KEEPER"), "looker": compiled("tables")}
    entries = [Plugin(name=name, library_path=str(path)) for name, path in made.items()]
    plugins, _ = configured(entries, None)
    known = plugins.known(members.known())
    file = write_rules(folder / "rules.yaml", source="nests", condition="nests.last exists", output=output)
    found = rules.load([file], known)
    assert not found.problems, [problem.text() for problem in found.problems]
    plugins.ask(found.active)
    stream = plugins.streams[0]
    judge = Judge(stream.source, found.active, known)
    judged = [judge.judge(parcel) for parcel in parcels(stream, Link(Status("nests")))]
    return [alert.message for one in judged for alert in one.alerts]


def test_a_table_of_one_plugin_is_read_and_written_by_another(compiled: Compile, tmp_path: Path) -> None:
    assert messages(compiled, tmp_path, "%nests.last | %nests.all") == [
        "nests 1 nest 0/1 inside 7 | 1 ",
        "nests 2 nest 0/3 inside 7 | 1 2 42 ",
        "nests 3 nest 1/3 inside 7 | 2 3 42 ",
    ]


def test_plugins_keep_threads_in_the_table_of_the_host(compiled: Compile, tmp_path: Path) -> None:
    assert messages(compiled, tmp_path, "%nests.thread") == [f"wren {count} args 0" for count in (1, 2, 3)]


def test_tables_and_their_fields_are_listed(compiled: Compile, tmp_path: Path) -> None:
    listed = "threads:4 nests:8 eggs:8:0 name:9:0 many:25:1 inside:10:1 "
    assert messages(compiled, tmp_path, "%nests.tables") == [listed] * 3


def test_what_a_plugin_makes_up_is_refused_with_a_reason(compiled: Compile, tmp_path: Path) -> None:
    said = "3; field bird of table threads has type 9, not 8; there is no such thing as the plugin names"
    assert messages(compiled, tmp_path, "%nests.refused") == [said] * 3
