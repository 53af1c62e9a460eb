"""Setting sources up: questions, policies, configuration, status, a package of one's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from eyas import config
from eyas.cli import asking
from eyas.cli import source as source_cli
from eyas.cli import sources as sources_cli
from eyas.errors import EyasError, UsageError
from eyas.intake import configured
from eyas.intake.configured import ways
from eyas.sources import members
from eyas.sources.reach import policy
from eyas.sources.reach.way import questions
from eyas.transports.checkpoint import Checkpoints
from eyas.transports.secret import Secret
from eyas.transports.status import Status

EVERY = [(name, way) for name in members.names() for way in ways(name)]


def sources(*args: str, answers: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(sources_cli.command, args, input=answers, standalone_mode=False)
    if isinstance(done.exception, EyasError):
        return done.exception.code, f"{done.output}{done.exception}"
    assert done.exception is None, done.exception
    return int(done.return_value or 0), done.output


@pytest.mark.parametrize(("name", "way"), EVERY, ids=lambda value: getattr(value, "via", value))
def test_every_setting_of_every_way_says_what_it_is(name: str, way: asking.Way) -> None:
    assert way.about
    for question in questions(way):
        assert question.about.endswith("."), f"{name} {way.via}: {question.name}"


def test_a_source_is_added_by_answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "eyas.yaml"
    monkeypatch.setenv("EYAS_OKTA_TOKEN", "very-secret")
    answers = "poll\nexample.okta.com\nenv:EYAS_OKTA_TOKEN\n"
    code, said = sources("add", "okta", "--no-test", "-c", str(file), answers=answers)
    assert code == 0, said
    assert "Read-only Administrator" in said
    assert "very-secret" not in said + file.read_text()
    (feed,) = configured(config.load(file).settings.sources)
    assert (feed.source.name, feed.way.via, feed.settings.token) == ("okta", "poll", Secret("very-secret"))
    assert "very-secret" not in repr(feed)


def test_an_answer_that_does_not_do_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "eyas.yaml"
    monkeypatch.setenv("EYAS_OKTA_TOKEN", "very-secret")
    answers = "poll\nexample.okta.com\nvery-secret\nenv:EYAS_OKTA_TOKEN\n"
    code, said = sources("add", "okta", "--no-test", "-c", str(file), answers=answers)
    assert code == 0, said
    assert "expected the place of the secret (env:NAME, file:PATH or keyring:SERVICE/USER)" in said
    assert "env: EYAS_OKTA_TOKEN" in file.read_text()


def test_a_listener_is_asked_where_it_listens_and_with_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "eyas.yaml"
    monkeypatch.setenv("TOKEN", "very-secret")
    answers = "http\n0.0.0.0:9765\nenv:TOKEN\n/etc/eyas/server.pem\n\n"
    code, said = sources("add", "k8s_audit", "--no-test", "-c", str(file), answers=answers)
    assert code == 0, said
    (feed,) = configured(config.load(file).settings.sources)
    assert (feed.settings.listen, feed.settings.certificate) == ("0.0.0.0:9765", Path("/etc/eyas/server.pem"))
    assert feed.settings.key is None


def test_a_source_is_tested_before_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "eyas.yaml"
    arguments = ("add", "trail", "--source", "aws_cloudtrail", "--via", "files", "--yes", "-c", str(file))
    missing = ("--set", f"path={tmp_path / 'nothing'}", "--set", "follow=false")
    code, said = sources(*arguments, *missing)
    assert (code, file.exists()) == (2, False)
    assert "nothing is there" in said
    (tmp_path / "a.json").write_text("{}")
    code, said = sources(*arguments, "--set", f"path={tmp_path}")
    assert code == 0, said
    assert yaml.safe_load(file.read_text())["sources"]["trail"]["source"] == "aws_cloudtrail"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "# mine\npriority: notice # loud\n",
        "sources: {}\npriority: notice\n",
        "sources:\n    # the first\n    k8s_audit:\n        via: http # here\n\npriority: notice # loud\n",
    ],
)
def test_what_was_in_the_configuration_stays(before: str) -> None:
    after = asking.inserted(before, "new", {"via": "http"})
    wanted = yaml.safe_load(before) or {}
    wanted["sources"] = {"new": {"via": "http"}, **wanted.get("sources", {})}
    assert yaml.safe_load(after) == wanted
    assert all(
        comment in after for comment in ("# mine", "# loud", "# here", "# the first") if comment in before
    )


def test_a_name_is_not_used_twice() -> None:
    with pytest.raises(UsageError, match="configured already"):
        asking.inserted("sources:\n  x:\n    via: http\n", "x", {"via": "http"})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"via": "htp"}, "no way of k8s_audit"),
        ({"via": "http", "listn": "x"}, "unknown key 'listn'"),
        ({"via": "http", "max_body": "many"}, "max_body"),
        ({"via": "http", "token": {"env": "NO_SUCH_VARIABLE_HERE"}}, "NO_SUCH_VARIABLE_HERE is not set"),
        ({"via": "http", "silent": "soon"}, "'silent' is 'soon'"),
        ({"source": "oktaa", "via": "http"}, "there is no source 'oktaa'"),
        ("http", "expected a mapping"),
    ],
)
def test_a_wrong_configuration_says_where_and_what(section: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        configured({"k8s_audit": section})


def test_policies_are_filled_in_and_are_what_they_claim_to_be() -> None:
    code, said = sources("policy", "k8s_audit", "--via", "http")
    assert code == 0
    audit, webhook = yaml.safe_load_all(said)
    assert (audit["kind"], webhook["kind"]) == ("Policy", "Config")
    assert webhook["clusters"][0]["cluster"]["server"].endswith(":9765/k8s-audit")
    for name, way in EVERY:
        text = policy.text(name, way, {"bucket": "b", "queue": "q", "group": "g", "cluster": "c"})
        assert "$" not in text.replace("$web", ""), f"{name} {way.via}"
        if text.startswith("{"):
            statement = json.loads(text)["Statement"]
            assert all("*" not in json.dumps(one["Action"]) for one in statement)


def test_a_policy_names_the_queue_of_an_address() -> None:
    way = next(way for way in ways("aws_cloudtrail") if way.via == "sqs")
    said = policy.text("aws_cloudtrail", way, {"queue": "https://sqs.eu-central-1.amazonaws.com/1/trail"})
    assert json.loads(said)["Statement"][0]["Resource"] == "arn:aws:sqs:*:*:trail"


def test_every_way_of_a_service_has_its_policy() -> None:
    own = [(name, way) for name, way in EVERY if name in ("okta", "github", "slack", "azure", "k8s_audit")]
    remote = [
        (name, way) for name, way in own if way.via in ("poll", "eks", "gke", "aks", "eventhubs", "activity")
    ]
    assert all(policy.text(name, way, {}) for name, way in remote)


def test_a_way_that_needs_no_rights_is_no_fault() -> None:
    assert sources("policy", "aws_cloudtrail", "--via", "files") == (
        0,
        "aws_cloudtrail needs no rights at a service\n",
    )


def test_the_way_that_is_offered_first_is_the_usual_one() -> None:
    first = {name: ways(name)[0].via for name in ("aws_cloudtrail", "gcp_auditlog", "okta", "azure", "json")}
    assert first == {
        "aws_cloudtrail": "sqs", "gcp_auditlog": "pubsub", "okta": "poll", "azure": "eventhubs", "json": "http",
    }  # fmt: skip


def test_status_is_that_of_the_configured_sources(tmp_path: Path) -> None:
    file = tmp_path / "eyas.yaml"
    file.write_text(
        f"alerts: {{store: {tmp_path}}}\nsources: {{okta: {{via: poll, domain: a.okta.com, token: t}}}}\n"
    )
    store = Checkpoints(tmp_path / "sources.db")
    for one in (Status("okta", "running"), Status("old", "failed")):
        store.report(one.feed, one.json())
    store.close()
    code, said = sources("status", "-c", str(file))
    assert (code, "old" in said) == (0, False)
    assert "okta: running" in said


def test_status_tells_what_failed(tmp_path: Path) -> None:
    file = tmp_path / "eyas.yaml"
    file.write_text(f"alerts: {{store: {tmp_path}}}\n")
    assert sources("status", "-c", str(file))[0] == 2
    store = Checkpoints(tmp_path / "sources.db")
    good, bad = Status("okta", "running", where="https://x"), Status("trail", "failed", "no such bucket")
    bad.refused["too large"] = 3
    for one in (good, bad):
        store.report(one.feed, one.json())
    store.close()
    code, said = sources("status", "-c", str(file))
    assert code == 1
    assert "okta: running" in said
    assert "trail: failed — no such bucket" in said
    assert "refused: 3 too large" in said
    assert json.loads(sources("status", "-c", str(file), "--json")[1])["trail"]["refused"] == {"too large": 3}


def test_a_secret_in_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert Secret.read({"file": str(tmp_path / "token")}).reveal() == "abc"
    with pytest.raises(UsageError):
        Secret.read({"file": str(tmp_path / "nothing")})
    with pytest.raises(UsageError):
        Secret.read({"vault": "x"})


def test_a_new_source_works_once_it_is_installed(tmp_path: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    package, site = tmp_path / "package", tmp_path / "site"
    done = CliRunner().invoke(
        source_cli.command, ["new", "my_service", "--in", str(package)], standalone_mode=False
    )
    assert done.exception is None
    install = [uv, "pip", "install", "--offline", "--quiet", "--no-deps", "--python", sys.executable]
    made = subprocess.run(
        [*install, "--target", str(site), str(package)], capture_output=True, text=True, check=False
    )
    if "uv_build" in made.stderr or "uv-build" in made.stderr:
        pytest.skip(f"this uv does not build packages by itself: {made.stderr}")
    assert made.returncode == 0, made.stderr
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join((str(site), str(root / "src")))
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package / "tests")],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "3 passed" in tests.stdout


@pytest.mark.parametrize("name", ["My Service", "okta"])
def test_a_name_that_is_none_or_taken_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(
        source_cli.command, ["new", name, "--in", str(tmp_path / "x")], standalone_mode=False
    )
    assert isinstance(done.exception, UsageError)
    assert not (tmp_path / "x").exists()
