"""Stores and meters take the alerts for real: PostgreSQL, InfluxDB, Alertmanager, Prometheus."""

import dataclasses
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from eyas.outputs.card import find
from tests.outputs.cases import ALERT
from tests.outputs.influx import Influx
from tests.outputs.servers import (
    Certificates,
    certificates,
    deliver,
    free_port,
    listens,
    server,
    settled,
    shared_folder,
)
from tests.outputs.test_hostile import LONG, NASTY, WORST

OTHER = dataclasses.replace(ALERT, rule="Second rule", priority="Debug", eyas={"id": "second"})
# Names and values of an attacker, as far as a database has columns for them.
HOSTILE = dataclasses.replace(WORST, message="".join(NASTY), eyas={"id": "third"}, ts=ALERT.ts)


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[int, Certificates]]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("postgresql is not installed; see .ci/test-servers")
    port = free_port()
    with shared_folder() as folder:
        data = folder / "data"
        made = subprocess.run(
            as_postgres(
                [str(found[-1] / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
            ),
            capture_output=True,
            cwd=folder,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        (folder / "tls").mkdir()
        files = certificates(folder / "tls")
        if os.geteuid() == 0:
            shutil.chown(files.server_key, "postgres")
        Path(files.server_key).chmod(0o600)
        (data / "pg_hba.conf").write_text(
            "hostssl all falco all trust clientcert=verify-ca\nhost all falco all reject\nhost all all all trust\n"
        )
        tls = {"ssl": "on", "ssl_cert_file": files.server_cert, "ssl_key_file": files.server_key}
        tls |= {"ssl_ca_file": files.authority}
        options = ["-D", str(data), "-p", str(port), "-k", str(folder), "-h", "127.0.0.1", "-F"]
        options += [word for key, value in tls.items() for word in ("-c", f"{key}={value}")]
        with server([str(found[-1] / "postgres"), *options], port, folder, "postgres"):
            settled(lambda: answers(port))
            yield port, files


def as_postgres(command: list[str]) -> list[str]:
    """The command, by a user who may run the server."""
    return [str(shutil.which("runuser")), "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", connect_timeout=2).close()
        return True
    except psycopg.OperationalError:
        return False


COLUMNS = "time timestamptz, rule text, priority text, source text, output text, tags text, hostname text"


def test_postgresql_takes_alerts_as_rows_and_no_alert_is_a_statement(
    postgres: tuple[int, Certificates],
) -> None:
    import psycopg

    port, files = postgres
    values = {"host": "127.0.0.1", "port": port, "database": "postgres", "customfields": "fd.name:x"}
    with psycopg.connect(host="127.0.0.1", port=port, user="postgres", autocommit=True) as link:
        (answer,) = deliver("timescaledb", values, [ALERT])
        assert answer.outcome is Outcome.RETRY and "falcosidekick_events" in answer.reason
        link.execute(f'CREATE TABLE falcosidekick_events ({COLUMNS}, "fd.name" text)')
        assert deliver("timescaledb", values, [ALERT, OTHER, HOSTILE]) == [delivered()] * 3
        rows = link.execute('SELECT rule, priority, "fd.name", output FROM falcosidekick_events').fetchall()
        assert [row[0] for row in rows] == [ALERT.rule, OTHER.rule, HOSTILE.rule]
        assert rows[0] == ("Write below etc", "Critical", "/etc/cron.d/x", event.output(ALERT))
        link.execute(
            "ALTER TABLE falcosidekick_events ADD CONSTRAINT short CHECK (length(rule) < 12) NOT VALID"
        )
        answers = deliver("timescaledb", values, [OTHER, ALERT, OTHER])
        assert [answer.outcome.value for answer in answers] == ["delivered", "refused", "delivered"]
    (answer,) = deliver("timescaledb", values | {"port": free_port()}, [ALERT])
    assert answer.outcome is Outcome.RETRY
    with psycopg.connect(host="127.0.0.1", port=port, user="postgres", autocommit=True) as link:
        link.execute("CREATE ROLE falco LOGIN; GRANT INSERT ON falcosidekick_events TO falco")
    from eyas.outputs.settings import load

    above = {key: str(value) for key, value in files.client.items() if key != "mutualtls"}
    section = {**values, "host": "localhost", "user": "falco", "mutualtls": True}
    Path(files.client_key).chmod(0o600)
    (one,) = load({"mutualtlsclient": above, "timescaledb": section}, {}).enabled
    assert one.output.open is not None
    sender = one.output.open(one.settings)
    assert sender is not None
    assert sender.send([one.output.request(OTHER, one.settings)]) == [delivered()]
    sender.close()
    assert deliver("timescaledb", values | {"user": "falco"}, [OTHER])[0].outcome is Outcome.RETRY


@pytest.fixture(scope="module")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, folder = free_port(), tmp_path_factory.mktemp("influxdb")
    (folder / "influxdb.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n[http]\nbind-address = "127.0.0.1:{port}"\n'
    )
    with server(["influxd", "-config", str(folder / "influxdb.conf")], port, folder):
        httpx.post(f"http://127.0.0.1:{port}/query", params={"q": "CREATE DATABASE falco"}).raise_for_status()
        yield port


def test_influxdb_takes_alerts_as_points(influxdb: int) -> None:
    values = {"hostport": f"http://127.0.0.1:{influxdb}"}
    assert deliver("influxdb", values, [ALERT, OTHER, HOSTILE]) == [delivered()]
    where = {"db": "falco", "q": "SELECT * FROM events", "epoch": "ns"}
    reply = httpx.get(f"http://127.0.0.1:{influxdb}/query", params=where).json()
    (series,) = reply["results"][0]["series"]
    rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    assert len(rows) == 3
    assert {row["rule"] for row in rows} >= {"Write_below_etc", "Second_rule"}
    assert {row["time"] for row in rows} == {ALERT.ts}
    (first,) = [row for row in rows if row["rule"] == "Write_below_etc"]
    assert first["value"] == event.output(ALERT) and first["proc.pid"] == "4711"
    (answer,) = deliver("influxdb", values | {"database": "none"}, [ALERT])
    assert answer.outcome is Outcome.RETRY
    assert deliver("influxdb", values, [WORST, LONG]) == [delivered()]


@pytest.mark.parametrize(
    ("precision", "step"), [("ns", 1), ("u", 1000), ("ms", 10**6), ("s", 10**9), ("m", 10**9), ("h", 10**9)]
)
def test_influxdb_2_takes_alerts_as_points(precision: str, step: int) -> None:
    with Influx() as service:
        values = {"hostport": service.url, "organization": "acme & sons", "token": "secret"}
        sent = [ALERT, OTHER, HOSTILE, WORST, LONG]
        assert deliver("influxdb", {**values, "precision": precision}, sent) == [delivered()]
        assert len(service.points) == len(sent)
        tags, value, time = service.points[0]
        assert tags["rule"] == "Write_below_etc" and tags["proc.pid"] == "4711"
        assert value == event.output(ALERT) and time == ALERT.ts // step


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"token": "stolen"}, "HTTP 401: "),
        ({"organization": "acme"}, 'HTTP 404: {"code": "not found", "message": "organization'),
        ({"bucket": "none"}, 'HTTP 404: {"code": "not found", "message": "bucket'),
    ],
)
def test_what_influxdb_2_refuses_waits_until_it_is_mended(wrong: dict[str, object], reason: str) -> None:
    with Influx() as service:
        values = {"hostport": service.url, "organization": "acme & sons", "token": "secret", **wrong}
        (answer,) = deliver("influxdb", values, [ALERT])
    assert answer.outcome is Outcome.RETRY and answer.reason.startswith(reason)
    assert not service.points


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, folder = free_port(), tmp_path_factory.mktemp("alertmanager")
    (folder / "a.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    options = [f"--config.file={folder}/a.yml", f"--storage.path={folder}/data", "--cluster.listen-address="]
    with server(
        ["prometheus-alertmanager", *options, f"--web.listen-address=127.0.0.1:{port}"], port, folder
    ):
        settled(lambda: httpx.get(f"http://127.0.0.1:{port}/-/ready").is_success)
        yield port


def test_alertmanager_takes_alerts_and_ends_them(alertmanager: int) -> None:
    url = f"http://127.0.0.1:{alertmanager}"
    values = {"hostport": url, "endpoint": "/api/v1/alerts", "extralabels": "team:blue"}
    assert deliver("alertmanager", values, [ALERT, OTHER, HOSTILE]) == [delivered()]
    found = {one["labels"]["alertname"]: one for one in httpx.get(f"{url}/api/v2/alerts").json()}
    assert len(found) == 3
    labels = found["Write below etc"]["labels"]
    assert (
        labels["severity"] == "critical" and labels["team"] == "blue" and labels["fd_name"] == "/etc/cron.d/x"
    )
    assert found["Second rule"]["labels"]["severity"] == "information"
    card = find("alertmanager")
    from eyas.delivery.http import HttpSender
    from eyas.outputs.settings import settings_of

    settings = settings_of(card, values)
    assert card.resolve is not None
    assert HttpSender(settings.trust).send(card.resolve(ALERT, settings)) == [delivered()]
    left = settled(lambda: [one["labels"]["alertname"] for one in httpx.get(f"{url}/api/v2/alerts").json()])
    assert "Write below etc" not in str(left)


def test_prometheus_scrapes_the_counter(tmp_path: Path) -> None:
    import prometheus_client

    if not shutil.which("prometheus"):
        pytest.skip("prometheus is not installed; see .ci/test-servers")
    card = find("prometheus")
    from eyas.outputs.settings import settings_of

    settings = settings_of(card, {"enabled": True, "extralabels": "fd.name"})
    assert card.open is not None
    counts = card.open(settings)
    assert counts is not None
    scraped, port = free_port(), free_port()
    web, thread = prometheus_client.start_http_server(scraped, "127.0.0.1")
    try:
        alerts = [ALERT, ALERT, HOSTILE]
        assert counts.send([card.request(alert, settings) for alert in alerts]) == [delivered()] * 3
        (tmp_path / "p.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "100ms", "scrape_timeout": "100ms"},
                    "scrape_configs": [
                        {"job_name": "eyas", "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}
                    ],
                }
            )
        )
        options = [f"--config.file={tmp_path}/p.yml", f"--storage.tsdb.path={tmp_path}/data"]
        with server(["prometheus", *options, f"--web.listen-address=127.0.0.1:{port}"], port, tmp_path):
            query = {"query": 'falcosecurity_falcosidekick_falco_events_total{rule="Write below etc"}'}

            def asked() -> list[dict[str, object]]:
                reply = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params=query)
                return list(reply.json()["data"]["result"]) if reply.is_success else []

            found = settled(asked)
        (one,) = found  # type: ignore[misc]
        assert one["value"][1] == "2"
        assert one["metric"]["priority_raw"] == "critical" and one["metric"]["fd_name"] == "/etc/cron.d/x"
    finally:
        counts.close()
        web.shutdown()
        thread.join()
    assert not listens(port)
