"""`eyas alerts`, `eyas outputs`: what people type."""

import csv
import io
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eyas.cli.alerts import command as alerts_command
from eyas.cli.alerts.options import reading_from
from eyas.cli.outputs import command as outputs_command
from eyas.delivery import journal
from eyas.errors import UsageError
from eyas.hub import archive, controls, moments, reading, report, settings
from eyas.hub.filter import parse
from eyas.hub.hub import Hub, Plan
from eyas.rules import BUILTIN
from tests.delivery.receiver import receiver
from tests.hub.alerts import alert


@pytest.fixture
def store(tmp_path: Path) -> Path:
    hub = Hub(Plan(settings.load({"store": str(tmp_path), "window": 0})))
    for number in range(6):
        hub.accept(
            alert(
                number,
                rule="Shell" if number % 2 else "Read",
                priority="Error" if number < 2 else "Notice",
                at=number,
                tags=("PCI_DSS_10.2.5", "T1059", "NIST_800-53_AC-2") if number == 1 else (),
                proc_name=f"p{number}",
                container_id=f"c{number}",
            )
        )
    hub.close()
    return tmp_path


def call(folder: Path, *words: str) -> Result:
    name, *rest = words
    return CliRunner().invoke(alerts_command, [name, "--store", str(folder), *rest], catch_exceptions=False)


def bodies(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_newest_come_first(store: Path) -> None:
    assert [b["output_fields"]["proc.name"] for b in bodies(call(store, "list", "-n", "2", "--json"))] == [
        "p5",
        "p4",
    ]


def test_a_search_by_condition(store: Path) -> None:
    found = bodies(call(store, "search", "rule = Shell and priority >= error", "--json"))
    assert [b["output_fields"]["proc.name"] for b in found] == ["p1"]
    assert bodies(call(store, "search", "container.id = c3 and proc.name startswith p", "--json"))


def test_time_bounds(store: Path) -> None:
    found = bodies(
        call(store, "list", "--json", "--since", "2023-11-14T22:13:22Z", "--until", "2023-11-14T22:13:24Z")
    )
    assert [b["output_fields"]["proc.name"] for b in found] == ["p3", "p2"]


def test_acknowledged_closed_and_commented(store: Path) -> None:
    name = bodies(call(store, "list", "-n", "1", "--json"))[0]["eyas"]["id"]
    call(store, "ack", name[-24:], "--as", "ann", "--comment", "looking")
    call(store, "comment", name, "a cron job", "--as", "bob")
    call(store, "close", name, "--as", "ann")
    body = json.loads(call(store, "show", name, "--json").stdout)
    assert [(r["who"], r["kind"], r["text"]) for r in body["remarks"]] == [
        ("ann", "acknowledged", "looking"),
        ("bob", "said", "a cron job"),
        ("ann", "closed", ""),
    ]
    assert body["eyas"]["status"] == "closed"
    assert len(bodies(call(store, "list", "--json", "--status", "open"))) == 5


def test_an_unknown_id_is_said(store: Path) -> None:
    with pytest.raises(UsageError, match="no alert 'feed'"):
        call(store, "show", "feed")


def test_statistics_count_alerts_and_what_they_stand_for(store: Path) -> None:
    body = json.loads(call(store, "stats", "--json").stdout)
    assert body["alerts"] == 6
    assert body["by"]["rule"] == {"Shell": 3, "Read": 3}
    assert body["by"]["technique"] == {}


def test_csv_has_a_header_and_no_formula(tmp_path: Path) -> None:
    hub = Hub(Plan(settings.load({"store": str(tmp_path)})))
    hub.accept(alert(1, message='=cmd|"/c calc"!A1\nsecond', rule="@SUM(A1)"))
    hub.close()
    rows = list(csv.DictReader(io.StringIO(call(tmp_path, "export", "--format", "csv").stdout)))
    assert rows[0]["message"] == '\'=cmd|"/c calc"!A1\\nsecond'
    assert rows[0]["rule"] == "'@SUM(A1)"


def test_ocsf_and_parquet(store: Path, tmp_path: Path) -> None:
    found = bodies(call(store, "export", "--format", "ocsf"))
    assert {one["class_uid"] for one in found} == {2004}
    path = tmp_path / "x.parquet"
    call(store, "export", "--format", "parquet", "-o", str(path))
    pq = pytest.importorskip("pyarrow.parquet")
    assert pq.read_table(path).column("rule").to_pylist().count("Shell") == 3


def test_the_archive_is_found_by_a_search_that_asks_for_it(store: Path) -> None:
    pytest.importorskip("duckdb")
    call(store, "archive", "--older-than", "0s")
    assert not bodies(call(store, "list", "--json"))
    found = bodies(call(store, "search", "container.id = c3", "--archive", "--json"))
    assert [b["output_fields"]["proc.name"] for b in found] == ["p3"]
    assert [k.id for k in archive.search(store, parse("rule = Read"), None, None)]


def test_a_silence_needs_an_end_a_reason_and_a_condition_that_parses(store: Path) -> None:
    with pytest.raises(UsageError, match="has an end"):
        call(store, "silence", "rule = x", "--reason", "y")
    with pytest.raises(UsageError, match="unexpected token"):
        call(store, "silence", "rule ~ x", "--for", "1h", "--reason", "y")
    call(store, "silence", "rule = x", "--for", "1h", "--reason", "upgrade", "--owner", "ann")
    (one,) = bodies(call(store, "silences", "--json"))
    assert (one["owner"], one["reason"], one["condition"]) == ("ann", "upgrade", "rule = x")
    call(store, "silences", "--end", "1")
    assert not bodies(call(store, "silences", "--json"))


def test_the_report_names_controls_and_escapes_text(tmp_path: Path) -> None:
    hub = Hub(Plan(settings.load({"store": str(tmp_path)})))
    hub.accept(alert(1, rule="<b>bold</b>", tags=("PCI_DSS_10.2.5", "NIST_800-53_AC-2", "CIS_5.2.1")))
    hub.close()
    call(tmp_path, "report", "-o", str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text()
    assert "<b>bold</b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    for number in ("10.2.5", "AC-2", "5.2.1"):
        assert number in page


def test_controls_are_read_from_tags() -> None:
    tags = ["PCI_DSS_10.2.7", "NIST_800-53_AU-10", "CIS", "T1059", "container"]
    assert report.controls_of(tags) == [("PCI DSS", "10.2.7"), ("NIST 800-53", "AU-10"), ("CIS", "ALL")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2h", "2024-05-05T10:00:00+00:00"),
        ("1h30m ago", "2024-05-05T10:30:00+00:00"),
        ("2 hours", "2024-05-05T10:00:00+00:00"),
        ("1 day and 2 hours ago", "2024-05-04T10:00:00+00:00"),
        ("monday", "2024-04-29T00:00:00+00:00"),
        ("Sunday", "2024-05-05T00:00:00+00:00"),
        ("2024-05-01T00:00:00Z", "2024-05-01T00:00:00+00:00"),
        ("now", "2024-05-05T12:00:00+00:00"),
    ],
)
def test_moments_as_people_type_them(text: str, wanted: str) -> None:
    now = datetime.fromisoformat("2024-05-05T12:00:00+00:00")
    assert moments.moment(text, now) == int(datetime.fromisoformat(wanted).timestamp()) * 10**9


@pytest.mark.parametrize("text", ["soon", "2 months", "hours", "2 hours 3"])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"'{text}' is not a time"):
        moments.moment(text)


def outputs(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(outputs_command, list(words), env=variables, catch_exceptions=False)


def test_a_preview_shows_the_request_without_its_secret(tmp_path: Path) -> None:
    made = outputs("preview", "webhook", WEBHOOK_ADDRESS="http://127.0.0.1:9/hush")
    assert "POST" in made.stdout
    assert "hush" not in made.stdout
    assert '"rule": "Test rule"' in made.stdout


def test_a_test_alert_arrives_marked() -> None:
    with receiver() as inbox:
        made = outputs("test", "webhook", WEBHOOK_ADDRESS=inbox.url)
        assert "delivered" in made.stderr
        body = json.loads(inbox.taken[0])
    assert body["rule"] == "Test rule"
    assert "test" in body["tags"]


def test_an_output_that_is_off_or_unknown_is_explained() -> None:
    with pytest.raises(UsageError, match="not switched on"):
        outputs("test", "gotify")
    with pytest.raises(UsageError, match="unknown output 'slak'") as caught:
        outputs("test", "slak")
    assert "slack" in caught.value.hint


def test_a_dash_is_standard_output(tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(store, "report", "-o", "-").stdout.startswith("<!doctype html>")
    assert call(store, "export", "--format", "csv", "-o", "-").stdout.startswith("time,id,")
    assert not (tmp_path / "-").exists()


def test_the_list_says_which_are_on() -> None:
    made = outputs("list", "--on", "--json", WEBHOOK_ADDRESS="http://127.0.0.1:9/")
    assert [json.loads(line)["name"] for line in made.stdout.splitlines()] == ["webhook"]


def test_the_list_says_what_waits_and_what_was_refused(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    for seq in (1, 2):
        db.execute("INSERT INTO pending VALUES ('webhook', ?)", (seq,))
    journal.refuse(db, "webhook", [1], "HTTP 400")
    db.commit()
    db.close()
    made = outputs("list", "--on", WEBHOOK_ADDRESS="http://127.0.0.1:9/", EYAS_STORE=str(tmp_path))
    assert made.stdout.strip().endswith("(1 waiting, 1 refused)")


def test_a_tactic_stands_for_controls_in_frameworks_that_a_rule_does_not_name(tmp_path: Path) -> None:
    hub = Hub(Plan(settings.load({"store": str(tmp_path), "window": 0})))
    hub.accept(alert(1, tags=("mitre_defense_evasion", "NIST_800-53_AU-10")))
    hub.close()
    with reading_from(tmp_path) as db:
        found = report.gather(reading.select(db, reading.Query()))
    numbers = {one.name: [(c.number, c.by_tactic) for c in one.controls] for one in found.frameworks}
    assert numbers == {
        "PCI DSS": [("10.3", 1), ("10.7", 1)],
        "NIST 800-53": [("AU-10", 0)],
        "CIS": [("8", 1)],
    }
    assert found.without == 0


def test_every_tactic_of_the_rules_that_we_ship_serves_controls() -> None:
    text = "".join(path.read_text() for path in BUILTIN.rglob("*.yaml"))
    assert set(re.findall(r"\bmitre_(\w+)", text)) <= set(controls.SERVED)
