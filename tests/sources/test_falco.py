"""Plugins of a falco.yaml whose services Eyas reads itself."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from eyas.config import Settings
from eyas.config.schema import Plugin
from eyas.errors import UsageError
from eyas.intake.configured import configured
from eyas.sources.reach import falco, github, moment

AKS = {"event_hub_namespace_connection_string": "Endpoint=sb://x/", "event_hub_name": "audit"}


def moved(name: str, opened: str = "", config: Any = None, **more: Any) -> falco.Moved:
    entry = Plugin(name=name, library_path=f"lib{name}.so", init_config=config, open_params=opened)
    return falco.moved(Settings(plugins=[entry], **more))


@pytest.mark.parametrize(
    ("name", "opened", "config", "wanted"),
    [
        ("k8saudit", "http://127.0.0.1:9765/k8s-audit", None, {"via": "http", "listen": "127.0.0.1:9765", "path": "/k8s-audit"}),
        ("k8saudit", "https://localhost:9765/x", {"sslCertificate": "/c.pem"}, {"via": "http", "listen": "localhost:9765", "path": "/x", "certificate": "/c.pem"}),
        ("k8saudit", "/var/log/audit.log", '{"maxEventSize": 999}', {"via": "file", "path": "/var/log/audit.log", "follow": False, "max_line": 999}),
        ("k8saudit", "file:///var/log/audit.log", "", {"via": "file", "path": "/var/log/audit.log", "follow": True}),
        ("k8saudit-eks", "prod", {"region": "eu-central-1", "polling_interval": 7}, {"via": "eks", "cluster": "prod", "region": "eu-central-1", "interval": 7.0}),
        ("k8saudit-gke", "audit", {"project_id": "p", "max_outstanding_messages": 10}, {"via": "gke", "subscription": "audit", "project": "p", "most": 10}),
        ("k8saudit-aks", "", AKS, {"via": "aks", "connection": "Endpoint=sb://x/", "hub": "audit"}),
        ("cloudtrail", "s3://trail/AWSLogs/1", {"s3Interval": "2026-01-05T00:00:00Z-2026-01-06", "aws": {"profile": "me"}}, {"via": "s3", "bucket": "trail", "prefix": "AWSLogs/1", "since": "2026-01-05", "profile": "me"}),
        ("cloudtrail", "sqs://queue", {"sqsOwnerAccount": "1", "useS3SNS": True}, {"via": "sqs", "queue": "queue", "owner": "1"}),
        ("cloudtrail", "/var/trail", None, {"via": "files", "path": "/var/trail"}),
        ("okta", "", {"organization": "acme", "api_token": "t", "refresh_interval": 20}, {"via": "poll", "domain": "acme.okta.com", "token": "t", "interval": 20.0}),
        ("gcpaudit", "audit", {"project_id": "p", "credentials_file": "/k.json"}, {"via": "pubsub", "subscription": "audit", "project": "p", "credentials": "/k.json"}),
    ],
)  # fmt: skip
def test_its_parameters_open_the_source_of_eyas(
    name: str, opened: str, config: Any, wanted: dict[str, Any]
) -> None:
    found = moved(name, opened, config)
    section = dict(found.settings.sources[name])
    assert section.pop("source") == falco.READERS[name][0]
    assert section == wanted
    assert found.settings.plugins == []
    assert found.warnings == ()
    assert found.said == (
        f"plugin {name}: Eyas reads {falco.READERS[name][0]} itself, via {wanted['via']}; its library is not loaded",
    )
    configured(found.settings.sources)


def test_github_gets_webhooks_with_a_secret_that_follows_from_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_PLUGIN_TOKEN", raising=False)
    (tmp_path / "github.token").write_text("reader\n")
    config = {
        "websocketServerURL": "https://eyas.example.com/hook",
        "secretsDir": str(tmp_path),
        "useHTTPs": True,
    }
    found = moved("github", "acme/shop, https://github.com/acme/site", config)
    (feed,) = configured(found.settings.sources)
    settings = feed.settings
    assert (settings.listen, settings.path) == ("0.0.0.0:443", "/hook")
    assert settings.repositories == ("acme/shop", "acme/site")
    assert (settings.certificate, settings.key) == (tmp_path / "server.crt", tmp_path / "server.key")
    first, second = github.signed(settings).secret, github.signed(settings).secret
    assert first is not None
    assert first == second
    assert "reader" not in first.reveal()


def test_a_range_of_days_begins_so_long_ago() -> None:
    since = moved("cloudtrail", "s3://b", {"s3Interval": "5d"}).settings.sources["cloudtrail"]["since"]
    assert since in {str((moment.now() - timedelta(days=days)).date()) for days in (5, 4)}


def test_a_listener_without_authentication_is_for_this_machine_only() -> None:
    found = moved("k8saudit", "http://:9765/k8s-audit", {"useAsync": True})
    assert found.settings.sources["k8saudit"]["listen"] == "127.0.0.1:9765"
    first, second = found.warnings
    assert "only this machine may post, to 127.0.0.1:9765; configure k8s_audit in 'sources'" in first
    assert second == "plugin k8saudit: no effect here: init_config useAsync"


def test_load_plugins_chooses_and_sources_count_more() -> None:
    none = moved("k8saudit", "http://:9765/x", load_plugins=[])
    assert (none.settings.sources, none.said) == ({}, ())
    chosen = moved("k8saudit", "/a", load_plugins=["k8saudit", "dummy"])
    assert (list(chosen.settings.sources), chosen.settings.load_plugins) == (["k8saudit"], ["dummy"])
    own = {"cluster": {"source": "k8s_audit", "via": "http"}}
    mine = moved("k8saudit", "http://:9765/x", sources=own)
    assert mine.settings.sources == own
    assert mine.said == ("plugin k8saudit: 'sources' says how k8s_audit is read",)
    assert moved("dummy").settings.plugins[0].name == "dummy"


@pytest.mark.parametrize(
    ("name", "opened", "config", "said"),
    [
        ("okta", "", {"organization": "acme"}, "plugin okta: init_config lacks 'api_token'"),
        ("okta", "", "{", "plugin okta: init_config is not JSON"),
        ("okta", "", "[1]", "plugin okta: init_config is not a mapping"),
        ("k8saudit", "http://:x/", None, "plugin k8saudit: open_params"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, opened: str, config: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        moved(name, opened, config)


def test_a_plugin_that_opens_nothing_is_told() -> None:
    found = moved("cloudtrail")
    assert found.settings.sources == {}
    assert "open_params is empty, expected a folder" in found.warnings[0]
    assert "is not read" in moved("k8saudit-gke", "file:///x").warnings[0]


def test_a_falco_yaml_watches_its_service(tmp_path: Path) -> None:
    event = '{"kind":"Event","auditID":"a","stage":"ResponseComplete","verb":"get","stageTimestamp":"2026-01-31T10:00:00Z"}'
    (tmp_path / "audit.log").write_text(event + "\n")
    rule = (
        "- {rule: r, desc: d, condition: ka.verb = get, output: seen, priority: NOTICE, source: k8s_audit}\n"
    )
    (tmp_path / "rules.yaml").write_text(rule)
    (tmp_path / "falco.yaml").write_text(
        f"alerts: {{store: {tmp_path / 'store'}}}\nengine: {{kind: nodriver}}\nload_plugins: [k8saudit, json]\nplugins:\n"
        f"  - {{name: k8saudit, library_path: libk8saudit.so, open_params: {tmp_path / 'audit.log'}}}\n"
        "  - {name: json, library_path: libjson.so}\n"
    )
    given = ["-c", str(tmp_path / "falco.yaml"), "-r", str(tmp_path / "rules.yaml"), "--for", "2s"]
    command = [sys.executable, "-m", "eyas", "run", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Notice seen" in done.stdout
    assert "plugin k8saudit: Eyas reads k8s_audit itself, via file" in done.stderr
