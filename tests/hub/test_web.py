"""What the sensor serves: health, metrics, and the door for alerts of other detectors."""

import hashlib
import json
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from eyas.delivery import journal, stored
from eyas.errors import RunError, UsageError
from eyas.hub import foreign, own, page, settings, web
from eyas.hub.hub import Hub, Plan
from eyas.hub.metrics import Collector
from eyas.hub.sensor import RuleInfo, Sensor
from tests.delivery.receiver import receiver
from tests.hub.alerts import alert
from tests.hub.test_hub import to

FALCO: dict[str, Any] = {
    "output": "12:00:00.000000001: Warning Shell in a container (user=root)",
    "priority": "Warning",
    "rule": "Shell",
    "time": "2024-05-05T12:00:00.000000001Z",
    "output_fields": {"proc.name": "sh", "evt.num": 18446744073709551615},
    "tags": ["T1059"],
    "hostname": "node-1",
}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(Plan(settings.load({"store": str(tmp_path)})))
    yield made
    made.close()


def collector(hub: Hub, folder: Path = Path("/nowhere")) -> Collector:
    rules = (RuleInfo("A rule", 4, "syscall", ("T1059.004", "host")),)
    sensor = Sensor(
        events=100,
        lost=7,
        ledger={"open": {"sent": 90, "lost": 7, "read": 88}},
        by_rule={"A rule": 3},
        held={'Noisy "rule"': 5},
        rules=rules,
        reloaded=1.7e9,
        known={"n_fds": 12, "n_added_threads": 3},
    )
    sensor.files, sensor.config_files = (folder / "rules.d",), (folder / "eyas.yaml",)
    return Collector(hub, lambda: sensor, "0.1.0")


@pytest.fixture
def door(hub: Hub) -> Iterator[httpx.Client]:
    served = web.Served(web.door(hub, collector(hub), test=own.example), web.Place("127.0.0.1", 0))
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}", trust_env=False) as client:
        yield client
    served.close()


def kept(hub: Hub) -> list[dict[str, Any]]:
    assert hub.flush()
    db = journal.connect(hub.folder, readonly=True)
    try:
        return [json.loads(row[0]) for row in db.execute("SELECT body FROM alert ORDER BY seq")]
    finally:
        db.close()


def test_an_alert_that_falco_posts_is_on_disk_when_it_is_answered(hub: Hub, door: httpx.Client) -> None:
    assert door.post("/", json=FALCO).status_code == 200
    (body,) = kept(hub)
    assert body["message"] == "Shell in a container (user=root)"
    assert body["source"] == "syscalls"
    assert body["ts"] == 1714910400000000001
    assert body["output_fields"]["evt.num"] == 18446744073709551615


def test_the_same_alert_posted_twice_is_kept_once(hub: Hub, door: httpx.Client) -> None:
    for _ in range(2):
        assert door.post("/", json={**FALCO, "uuid": "5b0a"}).status_code == 200
    assert len(kept(hub)) == 1


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"{", "not JSON"),
        (b"[]", "expected 1 to 1000 alerts"),
        (b'"text"', "expected a JSON object"),
        (json.dumps({**FALCO, "time": ""}).encode(), "'time' is missing"),
        (json.dumps({**FALCO, "time": "noon"}).encode(), "not an RFC 3339 time"),
        (json.dumps({**FALCO, "output_fields": {}}).encode(), "'output_fields' is empty"),
        (json.dumps({**FALCO, "priority": "urgent"}).encode(), "'priority' is 'urgent'"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_alert_is_refused_with_its_reason(
    hub: Hub, door: httpx.Client, body: bytes, part: str
) -> None:
    answer = door.post("/", content=body)
    assert answer.status_code == 400
    assert part in answer.text
    assert not kept(hub)


def test_other_methods_are_refused_and_ping_is_answered(door: httpx.Client) -> None:
    assert door.get("/").status_code == 400
    assert door.get("/ping").text == "pong\n"
    assert door.get("/healthz").json() == {"status": "ok"}


def test_a_test_alert_on_demand_each_time_it_is_asked_for(hub: Hub, door: httpx.Client) -> None:
    for _ in range(2):
        door.post("/test")
    assert [one["rule"] for one in kept(hub)] == ["Test rule"] * 2


def test_a_sender_cannot_change_what_is_kept_or_go_around_the_limits(hub: Hub, door: httpx.Client) -> None:
    door.post("/", json={**FALCO, "eyas": {"id": "a", "footage": "/f"}})
    for word in ("amended", "test", "update", "status"):
        door.post("/", json={**FALCO, "rule": "Other", "eyas": {"id": "a", word: True}})
    (body,) = kept(hub)
    assert (body["rule"], body["eyas"]["footage"]) == ("Shell", "/f")


def test_a_body_without_end_is_cut_off(hub: Hub, door: httpx.Client) -> None:
    assert door.post("/", content=b"x" * (web.LARGEST + 1)).status_code == 400


def test_a_token_is_asked_for(hub: Hub) -> None:
    served = web.Served(web.door(hub, collector(hub), token="hush"), web.Place("127.0.0.1", 0))
    url = f"http://127.0.0.1:{served.port}/"
    assert httpx.post(url, json=FALCO).status_code == 401
    assert httpx.post(url, json=FALCO, headers={"Authorization": b"Bearer h\xfcsh"}).status_code == 401
    assert httpx.post(f"{url}test").status_code == 401
    assert httpx.post(url, json=FALCO, headers={"Authorization": "Bearer hush"}).status_code == 200
    served.close()


TETRAGON = {
    "process_kprobe": {
        "process": {
            "pid": 42,
            "uid": 0,
            "binary": "/usr/bin/cat",
            "arguments": "/etc/shadow",
            "cwd": "/",
            "pod": {
                "namespace": "shop",
                "name": "web-1",
                "container": {"id": "containerd://0123456789abcdef", "name": "web"},
            },
        },
        "parent": {"pid": 41, "binary": "/bin/bash"},
        "function_name": "security_file_permission",
        "args": [{"file_arg": {"path": "/etc/shadow", "permission": "-rw-r-----"}}, {"int_arg": 4}],
        "policy_name": "file-monitoring",
        "action": "KPROBE_ACTION_POST",
    },
    "node_name": "node-7",
    "time": "2024-05-05T12:00:00.5Z",
}
SIGMA = {
    "title": "Suspicious curl",
    "level": "high",
    "tags": ["attack.t1105", "attack.command_and_control"],
    "timestamp": 1714910400,
    "event": {"process": {"name": "curl", "args": ["-k"]}},
}
OCSF = {
    "class_uid": 2004,
    "severity_id": 5,
    "time": 1714910400000,
    "message": "Malware found",
    "finding_info": {"title": "Malware", "uid": "f-1", "attacks": [{"technique": {"uid": "T1204"}}]},
    "metadata": {"product": {"name": "Scanner"}},
    "device": {"hostname": "pc-3"},
}


def test_tetragon() -> None:
    made = foreign.read(TETRAGON)
    assert (made.rule, made.source, made.hostname) == ("file-monitoring", "tetragon", "node-7")
    assert made.fields["proc.cmdline"] == "/usr/bin/cat /etc/shadow"
    assert made.fields["container.id"] == "0123456789ab"
    assert made.fields["proc.aname[1]"] == "bash"
    assert made.fields["fd.name"] == "/etc/shadow"


def test_sigma_like_json() -> None:
    made = foreign.read(SIGMA)
    assert (made.rule, made.priority, made.ts) == ("Suspicious curl", "Error", 1714910400 * 10**9)
    assert made.tags == ("T1105", "attack.command_and_control")
    assert made.fields == {"process.name": "curl", "process.args": '["-k"]'}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Odd curl", "level": "high", "timestamp": "2024-05-05T12:00:00Z", "tags": ["attack.t1105"],
         "document": {"kind": "evtx", "data": {"Image": "curl"}}},
        {"RuleTitle": "Odd curl", "Level": "high", "Timestamp": "2024-05-05T12:00:00Z", "MitreTags": ["T1105"],
         "Computer": "pc-3", "Details": {"Image": "curl"}},
        {"title": "Odd curl", "rule_level": "high", "@timestamp": 1714910400, "tags": ["attack.t1105"],
         "matches": [{"Image": "curl"}]},
    ],
    ids=["name", "capitals", "matches"],
)  # fmt: skip
def test_sigma_as_other_programs_write_it(body: dict[str, Any]) -> None:
    made = foreign.read(body)
    assert (made.rule, made.priority, made.ts) == ("Odd curl", "Error", 1714910400 * 10**9)
    assert made.tags == ("T1105",)
    assert "curl" in made.fields.values()


def test_ocsf() -> None:
    made = foreign.read(OCSF)
    assert (made.rule, made.priority, made.source, made.hostname) == (
        "Malware",
        "Critical",
        "Scanner",
        "pc-3",
    )
    assert made.fields["finding_info.uid"] == "f-1"
    assert made.eyas["attack"] == ["T1204"]


def test_a_finding_that_is_updated_is_no_repeat_and_one_of_another_product_neither() -> None:
    other = {**OCSF, "metadata": {"product": {"name": "Another"}}}
    found = [foreign.read(body).eyas["id"] for body in (OCSF, OCSF, {**OCSF, "activity_id": 2}, other)]
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_nesting_without_end_is_bounded() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    assert len(foreign.flat({"event": deep})) <= 1
    with pytest.raises(UsageError):
        foreign.read({"event": deep})


def test_health_and_readiness(hub: Hub) -> None:
    served = web.Served(web.health(hub, collector(hub), "/alive"), web.Place("127.0.0.1", 0))
    base = f"http://127.0.0.1:{served.port}"
    assert httpx.get(f"{base}/alive").json() == {"status": "ok"}
    assert httpx.get(f"{base}/readyz").status_code == 200
    hub.writer.trouble = "disk I/O error"
    assert httpx.get(f"{base}/readyz").status_code == 503
    hub.writer.trouble = ""
    assert httpx.get(f"{base}/versions").json()["eyas_version"]
    assert httpx.get(f"{base}/grafana.json").json()["title"] == "Eyas"
    served.close()


def test_health_over_tls(hub: Hub, tmp_path: Path) -> None:
    authority, pem = trustme.CA(), tmp_path / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    served = web.Served(web.health(hub, None), web.Place("127.0.0.1", 0, str(pem)))
    assert httpx.get(f"https://127.0.0.1:{served.port}/healthz", verify=context).status_code == 200
    assert httpx.get(f"https://127.0.0.1:{served.port}/metrics", verify=context).status_code == 404
    served.close()


def test_a_taken_port_is_an_error_with_its_address(hub: Hub) -> None:
    served = web.Served(web.health(hub, None), web.Place("127.0.0.1", 0))
    with pytest.raises(RunError, match=f"cannot serve on 127.0.0.1:{served.port}"):
        web.Served(web.health(hub, None), web.Place("127.0.0.1", served.port))
    served.close()


def test_the_machine_tells_falcos_figures(hub: Hub) -> None:
    text = collector(hub).text().decode()
    told = {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line[0] != "#"
    }
    for name in (
        "falco_host_boot_timestamp_nanoseconds", "falco_host_procs_running_total", "falco_host_memory_used_bytes",
        "falco_host_open_fds_total", "falco_memory_rss_bytes", "falco_memory_vsz_bytes",
    ):  # fmt: skip
        assert told[f"falcosecurity_{name}"] > 0
    assert 0 <= told["falcosecurity_falco_host_cpu_usage_ratio"] <= 1


def test_metrics_have_the_names_of_falco_and_ours(tmp_path: Path) -> None:
    with receiver() as inbox:
        hub = Hub(Plan(settings.load({"store": str(tmp_path)}), [to(inbox.url, "webhook")]))
        hub.accept(alert(1, proc_name="a"))
        hub.accept(alert(2, proc_name="a"))
        inbox.wait(1)
        assert hub.workers[0].drain(10)
        assert hub.flush()
        (tmp_path / "rules.d").mkdir()
        for file in (tmp_path / "rules.d/own.yaml", tmp_path / "eyas.yaml"):
            file.write_text("[]")
        digest = hashlib.sha256(b"[]").hexdigest()
        text = collector(hub, tmp_path).text().decode()
        hub.close()
    for line in (
        'falcosecurity_falco_version_info{version="0.1.0"} 1.0',
        "falcosecurity_scap_n_evts_total 100.0",
        "falcosecurity_scap_n_fds_total 12.0",
        "falcosecurity_scap_n_added_threads_total 3.0",
        "falcosecurity_falco_reload_timestamp_nanoseconds 1.7e+18",
        f'falcosecurity_falco_sha256_rules_files_info{{file_name="own.yaml",sha256="{digest}"}} 1.0',
        f'falcosecurity_falco_sha256_config_files_info{{file_name="eyas.yaml",sha256="{digest}"}} 1.0',
        "falcosecurity_scap_n_drops_total 7.0",
        'eyas_sensor_events_total{class="open",stage="sent"} 90.0',
        'eyas_sensor_events_total{class="open",stage="lost"} 7.0',
        'eyas_sensor_events_total{class="open",stage="read"} 88.0',
        'eyas_sensor_held_total{rule="Noisy \\"rule\\""} 5.0',
        'falcosecurity_scap_n_drops_buffer_total{dir="exit",drop="open"} 7.0',
        'falcosecurity_falco_rules_matches_total{priority="4",rule_name="A rule",source="syscall",tag_T1059_004="true",tag_host="true"} 3.0',
        'eyas_alerts_accepted_total{source="syscall"} 2.0',
        'eyas_alerts_held_total{rule="Shell in a container",why="repeat"} 1.0',
        'eyas_output_queue_depth{output="webhook"} 0.0',
        'eyas_output_delivered_total{output="webhook"} 1.0',
        'falcosecurity_falcosidekick_outputs_total{destination="webhook",status="ok"} 1.0',
        "# HELP falcosecurity_scap_n_evts_total https://falco.org/docs/metrics/",
    ):
        assert line in text.splitlines(), line


def test_every_metric_of_the_dashboard_exists(hub: Hub) -> None:
    names = set(re.findall(r"^# TYPE (\S+)", collector(hub).text().decode(), re.MULTILINE))
    asked = set(re.findall(r"\b(?:eyas|falcosecurity)_\w+", page.text("grafana.json")))
    assert asked
    assert asked <= names, asked - names


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head(hub: Hub) -> None:
    served = web.Served(web.door(hub, collector(hub)), web.Place("127.0.0.1", 0))
    assert served._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    served.close()


def test_what_was_never_discarded_counts_as_nought(hub: Hub) -> None:
    assert 'eyas_alerts_discarded_total{priority="critical"} 0.0' in collector(hub).text().decode()


def test_hostile_labels_do_not_break_the_text(hub: Hub) -> None:
    hub.accept(stored.alert_of({**FALCO, "source": 'x"} 1\nevil 2', "rule": "a\nb"}))
    assert hub.flush()
    assert not [line for line in collector(hub).text().decode().splitlines() if line.startswith("evil")]
