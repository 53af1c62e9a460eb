"""`eyas hub` stands where Falcosidekick stood."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trustme
from click.testing import CliRunner

from eyas.cli.hub import command, serving
from eyas.config.schema import Webserver
from eyas.errors import UsageError
from eyas.hub import settings
from eyas.hub.hub import Hub, Plan
from tests.delivery.receiver import receiver
from tests.hub.test_web import FALCO


def test_an_alert_that_is_posted_is_kept_and_sent_on(tmp_path: Path) -> None:
    with receiver() as inbox:
        sidekick = tmp_path / "sidekick.yaml"
        sidekick.write_text(f"webhook:\n  address: {inbox.url}\n")
        words = [
            "--falcosidekick",
            str(sidekick),
            "--store",
            str(tmp_path / "store"),
            "-o",
            "alerts.listen.port=0",
        ]
        with subprocess.Popen(
            [sys.executable, "-m", "eyas", "hub", "--print", *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as hub:
            assert hub.stderr is not None
            line = hub.stderr.readline()
            found = re.search(r"listening on 0\.0\.0\.0:(\d+), sending to prometheus, webhook$", line.strip())
            assert found, line
            assert httpx.post(f"http://127.0.0.1:{found[1]}/", json=FALCO).status_code == 200
            assert json.loads(inbox.wait(1)[0])["rule"] == "Shell"
            hub.send_signal(signal.SIGTERM)
            printed, _ = hub.communicate(timeout=60)
            assert hub.returncode == 0
    assert json.loads(printed)["rule"] == "Shell"


def spoken(hub: subprocess.Popen[str]) -> tuple[int, str]:
    """Port and line that say where it listens."""
    assert hub.stderr is not None
    said = []
    for line in hub.stderr:
        said.append(line)
        if found := re.search(r"listening on [\w.]+:(\d+)", line):
            return int(found[1]), "".join(said)
    raise AssertionError("".join(said))


def test_falcosidekicks_file_says_where_to_listen_and_how(tmp_path: Path) -> None:
    authority = trustme.CA()
    server, client = authority.issue_cert("localhost", "127.0.0.1"), authority.issue_cert("falco@example.org")
    for name, blob in (("server.crt", server.cert_chain_pems[0]), ("server.key", server.private_key_pem)):
        blob.write_to_path(str(tmp_path / name))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    client.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    (tmp_path / "sidekick.yaml").write_text(
        "listenaddress: 127.0.0.1\nlistenport: 1\ntlsserver:\n  deploy: true\n"
        f"  certfile: {tmp_path}/server.crt\n  keyfile: {tmp_path}/server.key\n  mutualtls: true\n"
        f"  cacertfile: {tmp_path}/ca.crt\n  notlsport: 0\n  notlspaths: [/healthz]\n"
        "slak: {webhookurl: x}\naws: {s33: {bucket: x}}\nslack:\n  webhokurl: x\n"
    )
    words = ["--falcosidekick", str(tmp_path / "sidekick.yaml"), "--store", str(tmp_path / "store")]
    with subprocess.Popen(
        [sys.executable, "-m", "eyas", "hub", *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LISTENPORT": "0"},
    ) as hub:
        port, said = spoken(hub)
        plain = re.search(r"listening without TLS on 127\.0\.0\.1:(\d+) for /healthz", hub.stderr.readline())  # type: ignore[union-attr]
        assert plain
        assert f"{tmp_path}/sidekick.yaml:11: slak is no output, did you mean 'slack'?" in said
        assert f"{tmp_path}/sidekick.yaml:12: aws.s33 is not a setting, did you mean 's3'?" in said
        assert (
            f"{tmp_path}/sidekick.yaml:14: slack.webhokurl is not a setting, did you mean 'webhookurl'?"
            in said
        )
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
        with pytest.raises(httpx.TransportError):
            httpx.post(f"https://127.0.0.1:{port}/", json=FALCO, verify=trust)
        trust.load_cert_chain(str(tmp_path / "client.pem"))
        assert httpx.post(f"https://127.0.0.1:{port}/", json=FALCO, verify=trust).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{plain[1]}/healthz").status_code == 200
        assert httpx.post(f"http://127.0.0.1:{plain[1]}/", json=FALCO).status_code == 404
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(60) == 0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("listenport: many", "sidekick.yaml:1: listenport: input should be a valid integer"),
        (
            "a: 1\ntlsserver:\n  notlsport: 70000",
            "sidekick.yaml:3: tlsserver.notlsport: input should be less",
        ),
        ("slack:\n  webhookurl: nowhere", "sidekick.yaml:2: slack.webhookurl: expected an address"),
        ("- a", "expected a mapping of settings"),
        ("a: [", "not YAML"),
        ("tlsserver: {deploy: true, certfile: /nowhere.crt}", "/nowhere.crt: no such file or directory"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "sidekick.yaml").write_text(text)
    words = ["--falcosidekick", str(tmp_path / "sidekick.yaml"), "--store", str(tmp_path / "store")]
    found = CliRunner().invoke(command, [*words, "-o", "alerts.listen.port=0"])
    assert isinstance(found.exception, UsageError)
    assert part in str(found.exception)


def test_health_is_served_over_tls_when_the_webserver_is_to(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    server = Webserver(
        enabled=True, listen_port=0, ssl_enabled=True, ssl_certificate=str(tmp_path / "own.pem")
    )
    hub = Hub(Plan(settings.load({"store": str(tmp_path / "store")})))
    served = list(serving(hub, server, settings.Listener(port=0)))
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    assert httpx.get(f"https://127.0.0.1:{served[-1].port}/healthz", verify=trust).json() == {"status": "ok"}
    for one in served:
        one.close()
    hub.close()
