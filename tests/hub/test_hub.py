"""Alerts in, kept and handed over."""

import json
import shutil
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from eyas.alert import SECOND, Alert, Style
from eyas.cli import logs
from eyas.config import Settings as Config
from eyas.delivery import Request, Trust, journal, pace, stored
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver
from eyas.errors import UsageError
from eyas.hub import own, receivers, recurring, settings, silences
from eyas.hub.discarded import Discarded
from eyas.hub.grouping import Defaults, Groups
from eyas.hub.growth import Growth
from eyas.hub.hub import Hub, Plan
from eyas.hub.routing import Target
from eyas.outputs.body import event
from eyas.outputs.card import find
from eyas.outputs.settings import Enabled, Shared, settings_of
from eyas.rules.grouping import Grouping
from tests.delivery.receiver import receiver
from tests.hub.alerts import alert


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST", 0.002)
    monkeypatch.setattr(pace, "LONGEST", 0.02)


def made(folder: Path, targets: Sequence[Target] = (), **values: Any) -> Hub:
    return Hub(Plan(settings.load({"store": str(folder), **values}), targets))


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    db = journal.connect(folder, readonly=True)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def to(url: str, name: str = "a", every: bool = False) -> Target:
    def plan(alerts: Sequence[Alert]) -> list[Request]:
        return [Request("POST", url, {}, stored.encode(one)) for one in alerts]

    return Target(Receiver(name, plan, lambda: HttpSender(Trust())), every=every)


def test_an_alert_is_kept_and_arrives_with_its_group(tmp_path: Path) -> None:
    with receiver() as inbox:
        hub = made(tmp_path, [to(inbox.url)])
        for number in range(5):
            hub.accept(alert(number, proc_name="sh", at=number))
        assert hub.close()
    body, news = [json.loads(body) for body in inbox.taken]
    assert [one["eyas"]["group"]["count"] for one in (body, news)] == [1, 5]
    assert rows(tmp_path, "SELECT count, examples FROM bundle") == [
        (5, json.dumps([f"message {n}" for n in range(5)]))
    ]
    assert journal_counters(tmp_path)["held:repeat:Shell in a container"] == 4


def journal_counters(folder: Path) -> dict[str, int]:
    db = journal.connect(folder, readonly=True)
    try:
        return journal.counters(db)
    finally:
        db.close()


def test_what_is_said_is_on_disk(tmp_path: Path) -> None:
    seen: list[bool] = []

    def said(one: Alert) -> None:
        seen.append(bool(rows(tmp_path, f"SELECT 1 FROM alert WHERE id = '{one.eyas['id']}'")))

    hub = Hub(Plan(settings.load({"store": str(tmp_path), "window": 0}), said=said))
    for number in range(20):
        hub.accept(alert(number))
    hub.close()
    assert seen == [True] * 20


def test_a_dead_receiver_is_an_alert_through_the_others(tmp_path: Path) -> None:
    with receiver() as inbox:
        with receiver() as gone:
            url = gone.url
        hub = made(tmp_path, [to(inbox.url, "alive"), to(url, "dead")], dead_after=0)
        hub.accept(alert(1))
        bodies = [json.loads(body) for body in inbox.wait(2)]
        assert {body["rule"] for body in bodies} == {"Shell in a container", "Eyas: receiver does not answer"}
        assert not hub.close(0.1)
    assert rows(tmp_path, "SELECT count(*) FROM pending WHERE output = 'dead'") == [(1,)]


def test_a_receiver_that_refuses_is_an_alert_through_the_others(tmp_path: Path) -> None:
    with receiver() as inbox, receiver() as picky:
        picky.judge = lambda _: (400, {})
        hub = made(tmp_path, [to(inbox.url, "easy"), to(picky.url, "picky")], window=0)
        for number in range(5):
            hub.accept(alert(number))
        assert hub.close()
    told = [body for one in inbox.taken if (body := json.loads(one))["rule"].startswith("Eyas:")]
    assert [body["rule"] for body in told] == ["Eyas: receiver refuses alerts"]  # the first speaks for all
    assert "output picky will never take an alert it was sent: HTTP 400" in told[0]["message"]
    assert len(picky.bodies) == 5


def test_a_silence_keeps_and_counts_and_tells_nobody(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    one = alert(1, container_id="abc")
    silences.add(db, "container.id = abc", one.ts - 1, one.ts + 1, "ann", "upgrade of the database")
    db.close()
    with receiver() as inbox:
        hub = made(tmp_path, [to(inbox.url)])
        hub.accept(one)
        hub.accept(alert(2, container_id="other"))
        hub.accept(alert(3, container_id="abc", at=5))
        assert hub.close()
    assert len(inbox.taken) == 2
    assert rows(tmp_path, "SELECT id, status FROM alert WHERE status != 'open'") == [
        (one.eyas["id"], "silenced")
    ]
    assert rows(tmp_path, "SELECT held, owner FROM silence") == [(1, "ann")]


def test_what_limits_held_back_is_reported(tmp_path: Path) -> None:
    hub = made(tmp_path, limit=2)
    for number in range(10):
        hub.accept(alert(number, container_id="noisy", fd_name=f"/{number}"))
    hub.report()
    hub.close()
    assert rows(tmp_path, "SELECT count(*) FROM alert WHERE rule = 'Shell in a container'") == [(2,)]
    (body,) = rows(tmp_path, "SELECT body FROM alert WHERE rule = 'Eyas: alerts were held back'")[0]
    assert json.loads(body)["output_fields"]["count"] == 8


def test_only_one_process_delivers_from_a_store(tmp_path: Path) -> None:
    with receiver() as inbox:
        first = made(tmp_path, [to(inbox.url)])
        second = made(tmp_path, [to(inbox.url)])
        assert not second.workers
        second.accept(alert(1))
        second.close()
        first.accept(alert(2, proc_name="x"))
        assert {json.loads(body)["message"] for body in inbox.wait(2)} == {"message 1", "message 2"}
        first.close()


def test_hostile_text_survives_the_store(tmp_path: Path) -> None:
    hub = made(tmp_path)
    bad = alert(1, message="a\x00b\udcff\r\n", proc_name="\udcfe", evt_n=2**70, rule="r\udc80")
    hub.accept(bad)
    hub.close()
    (body,) = rows(tmp_path, "SELECT body FROM alert")[0]
    again = stored.decode(body)
    assert again.message.startswith("a\x00b")
    assert again.ts == bad.ts


def config(**values: Any) -> Config:
    return Config.model_validate(values)


def test_falcos_own_outputs_get_every_alert(tmp_path: Path) -> None:
    file, heard = tmp_path / "events.txt", tmp_path / "heard"
    found = config(
        file_output={"enabled": True, "filename": str(file), "keep_alive": True},
        program_output={"enabled": True, "program": f"cat >> {heard}"},
    )
    hub = made(tmp_path, own.targets(found, Style(json_output=True)))
    for number in range(3):
        hub.accept(alert(number, proc_name="sh"))
    assert hub.close()
    for path in (file, heard):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["output"].rpartition(" ")[2] for line in lines] == ["0", "1", "2"]


def test_a_program_that_stays_gets_all_lines(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    found = config(program_output={"enabled": True, "keep_alive": True, "program": f"cat > {heard}"})
    hub = made(tmp_path, own.targets(found, Style()), window=0)
    for number in range(50):
        hub.accept(alert(number))
    assert hub.close()
    assert len(heard.read_text().splitlines()) == 50


def test_http_output_says_what_it_sends(tmp_path: Path) -> None:
    with receiver() as inbox:
        found = config(http_output={"enabled": True, "url": inbox.url})
        hub = made(tmp_path, own.targets(found, Style()))
        hub.accept(alert(1, message="line\nbreak"))
        assert hub.close()
    assert b"\n" not in inbox.taken[0]
    assert inbox.taken[0].endswith(b"Warning line\\nbreak")


def test_http_output_shows_its_certificate_and_checks_that_of_the_server(tmp_path: Path) -> None:
    authority, name = trustme.CA(), authority_files(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("sensor@example.org")
    authority.cert_pem.write_to_path(name["ca_cert"])
    client.cert_chain_pems[0].write_to_path(name["client_cert"])
    client.private_key_pem.write_to_path(name["client_key"])
    with receiver(tls=server) as inbox:
        found = config(http_output={"enabled": True, "url": inbox.url, "mtls": True, **name})
        hub = made(tmp_path / "store", own.targets(found, Style(json_output=True)))
        hub.accept(alert(1))
        assert hub.close()
        assert json.loads(inbox.taken[0])["rule"] == "Shell in a container"
        stranger = config(http_output={"enabled": True, "url": inbox.url, "ca_cert": name["ca_cert"]})
        hub = made(tmp_path / "other", own.targets(stranger, Style(json_output=True)))
        hub.accept(alert(2))
        assert not hub.close(0.2), "without a certificate the server takes nothing, and the alert waits"
    assert rows(tmp_path / "other", "SELECT count(*) FROM pending") == [(1,)]


def authority_files(folder: Path) -> dict[str, str]:
    return {key: str(folder / f"{key}.pem") for key in ("ca_cert", "client_cert", "client_key")}


def test_http_output_logs_the_answer_where_it_is_asked_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin()
    with receiver() as inbox:
        found = config(http_output={"enabled": True, "url": inbox.url, "echo": True})
        hub = made(tmp_path, own.targets(found, Style()))
        hub.accept(alert(1))
        assert hub.close()
    assert "status=200" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which names the files, is not here")
def test_http_output_believes_a_folder_of_authorities(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    folder = tmp_path / "authorities"
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "mine.pem")
    subprocess.run(["openssl", "rehash", str(folder)], check=True)
    with receiver(tls=context) as inbox:
        found = config(http_output={"enabled": True, "url": inbox.url, "ca_path": str(folder)})
        hub = made(tmp_path / "store", own.targets(found, Style()))
        hub.accept(alert(1))
        assert hub.close()
    assert len(inbox.taken) == 1


def test_syslog_cannot_be_split_by_a_line_break(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(10)
        sender = own.SyslogSender(str(path))
        made_by = own._target("syslog_output", Style(), lambda: sender)
        requests = made_by.receiver.plan([alert(1, message="a\n<0>root: b", priority="Critical")])
        assert sender.send(requests)[0].outcome.value == "delivered"
        data = listening.recv(1000)
    assert data.startswith(b"<10>eyas: ")
    assert b"\n" not in data


def test_receivers_come_from_the_configuration_of_falcosidekick(tmp_path: Path) -> None:
    sidekick = tmp_path / "sidekick.yaml"
    with receiver() as inbox:
        sidekick.write_text(
            f"customfields: {{region: north}}\ncustomtags: [extra]\nwebhook: {{address: {inbox.url}, minimumpriority: error}}\n"
        )
        section = settings.load({"store": str(tmp_path / "s"), "falcosidekick": str(sidekick)})
        targets, _ = receivers.load({"webhook@two": {"address": inbox.url}}, section)
        assert [target.receiver.name for target in targets] == ["prometheus", "webhook", "webhook@two"]
        hub = Hub(Plan(section, targets))
        hub.accept(alert(1, priority="Notice"))
        assert hub.close()
    (body,) = [json.loads(body) for body in inbox.taken]
    assert body["output_fields"]["region"] == "north"
    assert body["tags"] == ["extra"]


def test_detection_does_not_wait_for_a_receiver_that_hangs(tmp_path: Path) -> None:
    with receiver() as inbox:
        inbox.hang = threading.Event()
        hub = made(tmp_path, [to(inbox.url)], window=0)
        for number in range(2000):
            hub.accept(alert(number, fd_name=f"/{number}"))
        assert hub.flush()
        assert len(inbox.bodies) <= 1
        inbox.hang.set()
        inbox.hang = None
        inbox.wait(5)
        hub.close(0)


def test_an_alert_that_is_closed_is_taken_back(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from eyas.cli.alerts import command

    with receiver() as inbox:
        section = settings.load({"store": str(tmp_path)})
        targets, _ = receivers.load({"alertmanager": {"hostport": inbox.url}}, section)
        hub = Hub(Plan(section, targets))
        hub.accept(alert(1, proc_name="sh"))
        inbox.wait(1)
        assert hub.flush()
        closed = CliRunner().invoke(
            command, ["close", "last", "--store", str(tmp_path)], catch_exceptions=False
        )
        assert closed.exit_code == 0
        hub.workers[0].wake()
        first, second = (json.loads(body)[0] for body in inbox.wait(2))
        hub.close()
    assert first["labels"] == second["labels"]
    assert "endsAt" in second


def test_an_amended_alert_replaces_the_one_that_came_too_early(tmp_path: Path) -> None:
    hub = made(tmp_path)
    hub.accept(alert(1, container_id="abc"))
    hub.accept(alert(1, container_id="abc", container_name="shop", eyas={"amended": True}))
    hub.close()
    (body,) = rows(tmp_path, "SELECT body FROM alert")[0]
    assert json.loads(body)["output_fields"]["container.name"] == "shop"
    assert journal_counters(tmp_path) == {}


def test_receivers_hear_how_often_it_happened(tmp_path: Path) -> None:
    with receiver() as inbox:
        hub = made(tmp_path, [to(inbox.url)])
        for number in range(25):
            hub.accept(alert(number, proc_name="sh", at=number, message="a shell"))
        assert hub.close()
    first, *_, last = [json.loads(body) for body in inbox.taken]
    assert (first["message"], first["eyas"]["group"]["count"]) == ("a shell", 1)
    assert last["message"] == "a shell (25 times until 2023-11-14T22:13:44Z)"
    group = last["eyas"]["group"]
    assert (group["count"], group["last"] - group["first"]) == (25, 24_000_000_000)
    assert last["eyas"]["id"] != first["eyas"]["id"], "or receivers would drop it as a repeat"
    assert event.thread(stored.alert_of(last)) == event.thread(stored.alert_of(first)), "one case for all"


def test_outputs_that_get_every_alert_and_counters_hear_no_news(tmp_path: Path) -> None:
    counts = receivers.target(
        "statsd", Enabled(find("statsd"), settings_of(find("statsd"), {"forwarder": "127.0.0.1:9"})), Shared()
    )
    assert counts.passes(alert(1)) and not counts.passes(alert(1, eyas={"update": True}))
    with receiver() as inbox:
        hub = made(tmp_path, [to(inbox.url, every=True)])
        for number in range(12):
            hub.accept(alert(number, proc_name="sh", at=number))
        assert hub.close()
    assert len(inbox.taken) == 12


def test_a_window_that_is_over_is_told_and_one_that_goes_on_at_ten(tmp_path: Path) -> None:
    growth, groups = Growth(), Groups(Defaults(window=60))
    for number in range(9):
        bundle = groups.decide(alert(number, proc_name="sh", at=number)).bundle
        growth.saw(bundle)
    assert growth.due() == []
    growth.saw(groups.decide(alert(9, proc_name="sh", at=9)).bundle)
    assert [one.count for one in growth.due()] == [10]
    assert growth.due() == []
    growth.saw(groups.decide(alert(10, proc_name="sh", at=10)).bundle)
    growth.saw(groups.decide(alert(11, proc_name="other", at=99)).bundle)
    assert [one.count for one in growth.due()] == [11]


def test_a_store_of_an_older_version_is_renewed(tmp_path: Path) -> None:
    db = journal.connect(tmp_path)
    db.executescript("ALTER TABLE silence DROP COLUMN every; PRAGMA user_version = 1")
    db.close()
    db = journal.connect(tmp_path, readonly=True)
    assert silences.every(db) == []
    db.close()


def test_a_silence_that_comes_back_each_week(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    db = journal.connect(tmp_path)
    one = alert(1)  # on Tuesday, 14 November 2023, 22:13:20
    for hours in ("tue 22:00-23:00", "mon-wed 21:00-06:00", "daily 22:13-22:14", "mon 23:00-22:59"):
        silences.add(db, "host = web-1", 0, one.ts * 2, "ann", "backup", hours)
    for hours in ("sun 22:00-23:00", "tue 22:14-22:13", "wed,fri 22:00-23:00", "daily 23:00-24:00"):
        silences.add(db, "host = web-1", 0, one.ts * 2, "bob", "backup", hours)
    assert {s.owner: s.covers(one) for s in silences.every(db)} == {"ann": True, "bob": False}
    assert [s.covers(one) for s in silences.every(db)] == [False] * 4 + [True] * 4
    db.close()


@pytest.mark.parametrize(
    "text", ["sunday", "sun 2-4", "xyz 02:00-04:00", "sun 25:00-26:00", "sun 02:00-02:00"]
)
def test_hours_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="not a time of the week"):
        recurring.parse(text)


def test_what_is_to_stay_quiet_stays_quiet_after_a_restart(tmp_path: Path) -> None:
    now = (time.time_ns() - alert(1).ts) / SECOND
    rules = {"Shell in a container": Grouping(quiet=3600)}
    for number in range(3):
        hub = Hub(Plan(settings.load({"store": str(tmp_path)}), rules=rules))
        hub.accept(alert(number, proc_name="sh", at=now + number * 70))
        assert hub.close()
    assert rows(tmp_path, "SELECT count FROM bundle") == [(3,)]
    assert rows(tmp_path, "SELECT count(*) FROM alert") == [(1,)]


def test_a_replay_begins_anew_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        hub = made(tmp_path)
        for number in range(4):
            hub.accept(alert(number, proc_name="sh", at=number))
        assert hub.close()
    assert rows(tmp_path, "SELECT count FROM bundle") == [(4,)]
    assert rows(tmp_path, "SELECT count(*) FROM alert") == [(1,)]


def test_a_sender_that_sends_an_alert_again_is_not_counted_again(tmp_path: Path) -> None:
    with receiver() as inbox:
        hub = made(tmp_path, [to(inbox.url)])
        for _ in range(3):
            hub.accept(alert(1, proc_name="sh"))
        assert hub.close()
    assert len(inbox.taken) == 1


def test_a_hub_without_receivers_leaves_the_delivery_to_others_and_says_nothing(tmp_path: Path) -> None:
    with receiver() as inbox, capture_logs() as logged:
        idle = made(tmp_path)
        busy = made(tmp_path, [to(inbox.url)])
        busy.accept(alert())
        assert busy.close() and idle.close()
    assert len(inbox.bodies) == 1
    assert not logged


def test_the_delivery_goes_to_the_next_process_when_one_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eyas.hub.hub.TICK", 0.01)
    with receiver() as inbox, capture_logs() as logged:
        first = made(tmp_path, [to(inbox.url)])
        second = made(tmp_path, [to(inbox.url)])
        assert not second.workers
        first.close()
        second.accept(alert())
        assert inbox.wait(1)
        assert second.close()
    (line,) = logged
    assert line["event"].startswith("another process delivers from this store")


def test_what_a_full_disk_costs_is_told_at_once_and_then_once_a_minute_with_the_sum() -> None:
    now = [0.0]
    discarded = Discarded(lambda: now[0])
    discarded.add(Counter({6: 2000}))
    assert discarded.due() == Counter({6: 2000})
    now[0] = 59
    discarded.add(Counter({6: 2000}))
    discarded.add(Counter({7: 1, 6: 1}))
    assert not discarded.due()
    now[0] = 60
    assert discarded.due() == Counter({6: 2001, 7: 1})
    now[0] = 61
    discarded.add(Counter({4: 3}))
    assert not discarded.due() and discarded.rest() == Counter({4: 3})


def test_a_store_that_discards_chunk_after_chunk_logs_little_and_counts_all(tmp_path: Path) -> None:
    with capture_logs() as logged:
        hub = made(tmp_path)
        for number in range(50):
            hub._gone(Counter({6: number}))
        hub.close()
    lines = [line for line in logged if line["event"] == "alerts were discarded"]
    assert len(lines) <= 2
    assert sum(line["informational"] for line in lines) == sum(range(50))
