"""The trail of an alert, from the store alone."""

import json
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from click.testing import CliRunner

from eyas.cli.alerts.options import reading_from
from eyas.cli.replay import command as replay
from eyas.cli.trail import command as show
from eyas.cli.trail import web_page
from eyas.delivery import journal
from eyas.hub import activity, reading, settings
from eyas.hub import trail as trails
from eyas.hub.activity import Activity
from eyas.hub.filter import parse
from eyas.hub.hub import Hub, Plan
from eyas.hub.reading import Query
from eyas.hub.trail import Moment, Trail, nearest, trail
from eyas.scene.demo import STORY
from eyas.scene.film import film, perform
from tests.hub.alerts import alert


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    capture = folder / "demo.scap"
    film(perform(STORY.read_text()), capture)
    result = CliRunner().invoke(replay, [str(capture), "--store", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    return folder


def of_rule(folder: Path, rule: str) -> Trail:
    db = journal.connect(folder, readonly=True)
    try:
        kept = next(k for k in reading.select(db, reading.Query()) if k.alert.rule == rule)
        return trail(db, kept)
    finally:
        db.close()


@pytest.fixture(scope="module")
def shell(store: Path) -> Trail:
    return of_rule(store, "Shell with a connection as its input")


def test_the_alert_itself_stays_in_a_timeline_with_too_many_moments() -> None:
    busy = [Moment(ts, "read", "nginx (7)", "opened a file") for ts in range(100)]
    subject = Moment(90, "alert", "Rule", "it happened", subject=True)
    assert nearest([*busy, subject], 90, 4) == [busy[89], busy[90], subject, busy[91]]


def test_activity_of_others_does_not_cut_a_trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "MOST", 3)
    one = alert(1, proc_pid=7, proc_name="cat")
    hub = Hub(Plan(settings.load({"store": str(tmp_path)})))
    for pid in range(100, 110):
        hub.observe(Activity(one.ts, one.hostname, "syscall", "exec", str(pid), {"proc.pid": pid}))
    hub.accept(one)
    hub.close()
    with reading_from(tmp_path) as db:
        assert not trail(db, reading.one(db, "last")).cut


def test_processes_stand_from_init_to_every_child(shell: Trail) -> None:
    assert [(p.name, p.why) for p in shell.processes] == [
        ("systemd", "ancestor"),
        ("php-fpm", "ancestor"),
        ("sh", "ancestor"),
        ("bash", "subject"),
        ("cat", "child"),
        ("find", "child"),
    ]


def test_files_addresses_and_identities_are_those_of_the_subject_and_its_children(shell: Trail) -> None:
    assert shell.addresses == {"203.0.113.66:4444": {"connected"}, "169.254.169.254:80": {"connected"}}
    assert list(shell.files) == ["/var/run/secrets/kubernetes.io/serviceaccount/token"]
    assert shell.identities == {"user": {"www-data"}, "container": {"shop"}}


def test_the_timeline_is_in_order_and_holds_earlier_and_later_alerts(shell: Trail) -> None:
    moments = [moment.ts for moment in shell.timeline]
    assert moments == sorted(moments)
    rules = [moment.who for moment in shell.timeline if moment.kind == "alert"]
    own = rules.index("Shell with a connection as its input")
    assert "Web server starts a shell" in rules[:own]
    assert "Credentials searched for" in rules[own:]


def test_in_the_terminal_and_as_json(store: Path, shell: Trail) -> None:
    text = (
        CliRunner().invoke(show, [shell.kept.id[:12], "--store", str(store)], catch_exceptions=False).output
    )
    assert "▶ 1005 bash -i  (www-data)" in text
    made = CliRunner().invoke(show, [shell.kept.id, "--store", str(store), "--json"], catch_exceptions=False)
    assert json.loads(made.output)["processes"][0]["name"] == "systemd"


def test_another_process_of_the_same_number_is_not_the_subject(tmp_path: Path) -> None:
    hub = Hub(Plan(settings.load({"store": str(tmp_path)})))
    one = alert(1, proc_pid=7, proc_ppid=1, proc_name="sh", fd_name="/etc/shadow")
    for offset, kind, name in (
        (-9, "fork", "old"), (-8, "write", "/tmp/before"), (-7, "exit", ""),
        (-2, "fork", "sh"), (-1, "write", "/tmp/own"), (1, "exit", ""),
        (2, "fork", "new"), (3, "write", "/tmp/after"),
    ):  # fmt: skip
        facts = {"proc.pid": 7, "proc.name": name, "fd.name": name if kind == "write" else ""}
        hub.observe(Activity(one.ts + offset, one.hostname, "syscall", kind, "7", facts))
    hub.accept(one)
    hub.close()
    db = journal.connect(tmp_path, readonly=True)
    found = trail(db, reading.one(db, "last"))
    db.close()
    assert sorted(found.files) == ["/etc/shadow", "/tmp/own"]
    assert [moment.kind for moment in found.timeline] == ["fork", "write", "alert", "exit"]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def hostile(tmp_path: Path) -> Trail:
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'\n\x00"
    hub = Hub(Plan(settings.load({"store": str(tmp_path)})))
    one = alert(
        1,
        rule=bad,
        message=bad,
        proc_pid=7,
        proc_name=bad,
        user_name=bad,
        container_name=bad,
        fd_name="/" + bad,
    )
    hub.accept(one)
    facts = {"proc.pid": 8, "proc.ppid": 7, "proc.name": bad, "proc.cmdline": bad, "fd.name": "/" + bad}
    for kind in ("exec", "write", "connection"):
        hub.observe(Activity(one.ts + 1, one.hostname, "syscall", kind, "8", facts))
    hub.close()
    db = journal.connect(tmp_path, readonly=True)
    found = trail(db, reading.one(db, "last"))
    db.close()
    return found


def test_no_field_becomes_markup(tmp_path: Path) -> None:
    page = web_page(hostile(tmp_path))
    elements = _Elements()
    elements.feed(page)
    assert [attrs for tag, attrs in elements.found if tag == "script"] == [
        {"type": "application/json", "id": "trail"},
        {},
    ]
    assert not [
        tag for tag, attrs in elements.found if tag == "img" or any(k.startswith("on") for k in attrs)
    ]
    assert not [a for _, attrs in elements.found for a in ("src", "href") if a in attrs], "loads nothing"


def test_a_browser_draws_the_page_and_runs_its_script(tmp_path: Path, shell: Trail) -> None:
    browser = which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    page = tmp_path / "trail.html"
    page.write_text(web_page(shell))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--dump-dom",
    ]
    made = subprocess.run([browser, *flags, page.as_uri()], capture_output=True, timeout=120)
    drawn = made.stdout.decode()
    assert '<div id="tools" class="tools screen">' in drawn, "the script showed its tools"
    assert drawn.count("<circle") == len(shell.timeline)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    """A stolen session: signed in at Okta, then listing, reading and changing at AWS from another address."""
    folder = tmp_path_factory.mktemp("cloud")
    hub = Hub(Plan(settings.load({"store": str(folder)})))
    session = "AROAEXAMPLE:ann@example.com"
    calls = [
        ("GetCallerIdentity", "198.51.100.7", None),
        ("ListBuckets", "198.51.100.7", None),
        ("GetObject", "203.0.113.9", "payroll"),
        ("PutBucketPolicy", "203.0.113.9", "payroll"),
    ]
    ts = alert().ts
    facts = {
        "okta.evt.type": "user.session.start",
        "okta.actor.alternateid": "ann@example.com",
        "okta.client.ip": "198.51.100.7",
    }
    hub.observe(Activity(ts - 9, "web-1", "okta", "event at Okta", "ann@example.com", facts))
    for number, (name, address, bucket) in enumerate(calls):
        facts = {"ct.name": name, "ct.srcip": address, "ct.user": "Admin", "ct.user.principalid": session}
        if bucket:
            facts["s3.bucket"] = bucket
        hub.observe(Activity(ts + number, "web-1", "aws_cloudtrail", "call to AWS", session, facts))
    other = {
        "ct.name": "ListUsers",
        "ct.srcip": "192.0.2.1",
        "ct.user": "Bob",
        "ct.user.principalid": "AIDABOB",
    }
    hub.observe(Activity(ts, "web-1", "aws_cloudtrail", "call to AWS", "AIDABOB", other))
    named = {
        "ct.name": "PutBucketPolicy",
        "ct.user": "Admin",
        "ct.user.principalid": session,
        "ct.srcip": "203.0.113.9",
    }
    hub.accept(alert(1, rule="Bucket opened", source="aws_cloudtrail", eyas={"carried": named}))
    hub.close()
    db = journal.connect(folder, readonly=True)
    yield trail(db, reading.one(db, "last"))
    db.close()


def test_a_stolen_credential_is_told_as_a_story(cloud: Trail) -> None:
    story = {chapter.title: chapter.lines for chapter in cloud.story}
    assert [line.split("  ")[1] for line in story["First use from each address"]] == [
        "198.51.100.7",
        "203.0.113.9",
    ]
    assert story["Listed"] == ["ListBuckets from 198.51.100.7"]
    assert story["Read"] == ["GetObject on payroll from 203.0.113.9"]
    assert story["Changed"] == ["PutBucketPolicy on payroll from 203.0.113.9"]
    assert len(story["Signed in"]) == 2, "at Okta and at AWS"


def test_the_story_leaves_out_other_people(cloud: Trail) -> None:
    assert "192.0.2.1" not in cloud.addresses
    assert cloud.identities["session"] == {"AROAEXAMPLE:ann@example.com"}


def test_rules_of_activity_say_whom_their_facts_belong_to() -> None:
    note = activity.of_alert(alert(1, rule="eyas activity: exec", tags=(activity.TAG,), proc_pid=5))
    assert note is not None
    assert (note.kind, note.actor) == ("exec", "5")
    assert activity.of_alert(alert(1)) is None


def cloudtrail(
    minute: int, name: str, address: str, request: dict[str, str] | None = None, who: str = "ann"
) -> Any:
    """A record of CloudTrail; `ann` acts with a key of hers."""
    identity = {
        "type": "IAMUser", "principalId": f"AIDA{who.upper()}", "arn": f"arn:aws:iam::123456789012:user/{who}",
        "accountId": "123456789012", "accessKeyId": f"AKIA{who.upper()}", "userName": who,
    }  # fmt: skip
    return {
        "eventVersion": "1.08", "eventType": "AwsApiCall", "eventTime": f"2026-03-01T09:{minute:02}:00Z", "eventName": name,
        "eventSource": "iam.amazonaws.com", "awsRegion": "eu-central-1", "sourceIPAddress": address,
        "userIdentity": identity, "requestParameters": request, "eventID": f"{minute}-{name}",
    }  # fmt: skip


def okta(minute: int, kind: str, address: str) -> Any:
    """A record of Okta about ann."""
    return {
        "uuid": f"{minute}-{kind}", "published": f"2026-03-01T09:{minute:02}:00.000Z", "eventType": kind,
        "actor": {"id": "00u1", "type": "User", "alternateId": "ann@example.com"}, "client": {"ipAddress": address},
        "outcome": {"result": "SUCCESS"}, "target": [],
    }  # fmt: skip


def test_a_stolen_key_is_followed_over_aws_okta_and_github_from_their_logs(tmp_path: Path) -> None:
    thief = "203.0.113.66"
    logs = {
        "okta": [okta(1, "user.session.start", thief), okta(2, "user.mfa.factor.deactivate", thief)],
        "aws_cloudtrail": [
            cloudtrail(3, "GetCallerIdentity", thief),
            cloudtrail(4, "ListUsers", thief),
            cloudtrail(5, "ListUsers", "192.0.2.7", who="bob"),
            cloudtrail(6, "GetObject", thief, {"bucketName": "payroll", "key": "march.csv"}),
            cloudtrail(7, "CreateAccessKey", thief, {"userName": "backup"}),
            cloudtrail(8, "StopLogging", thief, {"name": "<script>alert(1)</script>"}),
        ],
    }
    logs["github"] = [
        {"webhook_type": "repository", "action": "publicized", "sender": {"login": "ann"},
         "repository": {"html_url": "https://github.com/shop/prices", "updated_at": "2026-03-01T09:09:00Z"}},
        {"action": "git.clone", "actor": "ann", "actor_ip": thief, "repo": "shop/keys",
         "eyas": {"time": "2026-03-01T09:10:00Z"}},
    ]  # fmt: skip
    (tmp_path / "rules.yaml").write_text(RULES)
    for source, records in logs.items():
        (tmp_path / f"{source}.json").write_text("".join(json.dumps(one) + "\n" for one in records))
        words = ["--source", source, "--store", str(tmp_path / "store"), "-r", str(tmp_path / "rules.yaml")]
        done = CliRunner().invoke(replay, [*words, str(tmp_path / f"{source}.json")], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    db = journal.connect(tmp_path / "store", readonly=True)
    found = trail(db, next(reading.select(db, Query(parse("rule contains logging")))))
    db.close()
    story = {chapter.title: chapter.lines for chapter in found.story}
    assert [line.split("  ")[1:3] for line in story["First use from each address"]] == [
        [thief, "ann@example.com"]
    ]
    assert story["Listed"] == [f"ListUsers at iam.amazonaws.com from {thief}"]
    assert story["Read"] == [
        f"GetObject at iam.amazonaws.com on s3://payroll/march.csv from {thief}",
        f"git.clone on shop/keys from {thief}",
    ]
    assert [line.split()[0] for line in story["Changed"]] == [
        "user.mfa.factor.deactivate", "CreateAccessKey", "StopLogging", "repository",
    ]  # fmt: skip
    assert "on backup" in story["Changed"][1]
    assert found.addresses == {thief: {"first 09:01:00", "8 times"}}
    assert found.identities["session"] == {"AIDAANN", "AKIAANN"}
    assert "192.0.2.7" not in found.addresses
    page = web_page(found)
    assert "StopLogging" in page
    assert "<script>alert" not in page


def assumed(minute: int, name: str, key: str, session: str, address: str) -> Any:
    """A record of somebody who acts in the role `deploy`."""
    record = cloudtrail(minute, name, address)
    arn = f"arn:aws:sts::123456789012:assumed-role/deploy/{session}"
    issuer = {"type": "Role", "userName": "deploy", "arn": "arn:aws:iam::123456789012:role/deploy"}
    record["userIdentity"] = {
        "type": "AssumedRole", "principalId": f"AROADEPLOY:{session}", "arn": arn, "accountId": "123456789012",
        "accessKeyId": key, "sessionContext": {"sessionIssuer": issuer},
    }  # fmt: skip
    return record


def test_a_role_that_was_assumed_leads_back_to_the_key_and_not_to_others_in_that_role(tmp_path: Path) -> None:
    thief, builder = "203.0.113.66", "192.0.2.20"
    assume = cloudtrail(2, "AssumeRole", thief, {"roleArn": "arn:aws:iam::123456789012:role/deploy"})
    assume["responseElements"] = {"credentials": {"accessKeyId": "ASIASTOLEN"}}
    made = assumed(4, "CreateAccessKey", "ASIASTOLEN", "x", thief)
    made["responseElements"] = {"accessKey": {"accessKeyId": "AKIASPARE"}}
    later = cloudtrail(9, "PutObject", "198.51.100.9", who="spare")
    records = [
        cloudtrail(1, "ListBuckets", thief), assume, assumed(3, "ListUsers", "ASIABUILD", "build", builder), made,
        assumed(5, "StopLogging", "ASIASTOLEN", "x", thief), later,
        cloudtrail(6, "ListUsers", thief, who="bob"), cloudtrail(7, "ListUsers", builder, who="bob"),
    ]  # fmt: skip
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "trail.json").write_text("".join(json.dumps(one) + "\n" for one in records))
    words = [
        "--source",
        "aws_cloudtrail",
        "--store",
        str(tmp_path / "store"),
        "-r",
        str(tmp_path / "rules.yaml"),
    ]
    CliRunner().invoke(replay, [*words, str(tmp_path / "trail.json")], catch_exceptions=False)
    db = journal.connect(tmp_path / "store", readonly=True)
    found = trail(db, next(reading.select(db, Query(parse("rule contains logging")))))
    db.close()
    story = {chapter.title: chapter.lines for chapter in found.story}
    assert [line.split()[2:4] for line in story["First use from each address"]] == [
        [thief, "arn:aws:iam::123456789012:user/ann"],
        ["198.51.100.9", "arn:aws:iam::123456789012:user/spare"],
    ]
    assert [line.split("  ")[1:3] for line in story["By principal and session"]] == [
        ["AKIAANN", "2 calls"], ["ASIASTOLEN", "2 calls"], ["AKIASPARE", "1 call"],
    ]  # fmt: skip
    assert builder not in found.addresses
    assert story["Others from the same addresses"] == [
        f"{thief}  aws_cloudtrail  arn:aws:iam::123456789012:user/bob  once"
    ]


RULES = """
- rule: logging was stopped
  desc: The trail was stopped.
  source: aws_cloudtrail
  condition: ct.name = StopLogging
  output: logging was stopped (by=%ct.user address=%ct.srcip)
  priority: CRITICAL
- rule: factor removed
  desc: A factor was removed.
  source: okta
  condition: okta.evt.type = user.mfa.factor.deactivate
  output: a factor was removed (by=%okta.actor.alternateid address=%okta.client.ip)
  priority: WARNING
"""
