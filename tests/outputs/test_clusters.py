"""An API server of Kubernetes takes policy reports, and calls of functions from outside."""

import dataclasses
import json
from pathlib import Path

import pytest

from eyas.delivery import Outcome, delivered
from eyas.errors import UsageError
from eyas.outputs.body import event
from eyas.outputs.card import find
from tests.outputs.cases import ALERT
from tests.outputs.servers import deliver, free_port
from tests.outputs.service import Reply, Seen, Service
from tests.outputs.test_hostile import WORST

HOSTILE = dataclasses.replace(WORST, ts=ALERT.ts)
REPORTS = "/apis/wgpolicyk8s.io/v1alpha2"
KEYS = {
    "policy",
    "category",
    "source",
    "scored",
    "timestamp",
    "severity",
    "result",
    "message",
    "properties",
    "resources",
}


def kubeconfig(folder: Path, url: str) -> str:
    path = folder / "config"
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "falco"}}],
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "falco", "user": {"token": "proof"}}],
    }
    path.write_text(json.dumps(body))
    return str(path)


class Cluster(Service):
    """Keeps reports as an API server does: with versions, and a conflict for whoever has an old one."""

    def reply(self, seen: Seen) -> Reply:
        assert seen.headers["authorization"] == "Bearer proof"
        if seen.method == "GET":
            found = self.stored.get(seen.path)
            return (200, {}, json.dumps(found).encode()) if found else (404, {}, b'{"reason": "NotFound"}')
        return self.write(seen, json.loads(seen.body))

    def write(self, seen: Seen, report: dict) -> Reply:  # type: ignore[type-arg]
        path = seen.path if seen.method == "PUT" else f"{seen.path}/{report['metadata']['name']}"
        if self.conflicts:
            self.conflicts -= 1
            return 409, {}, b'{"reason": "Conflict"}'
        version = int(self.stored.get(path, {}).get("metadata", {}).get("resourceVersion", 0))
        assert str(version) == str(report["metadata"].get("resourceVersion", 0))
        assert all(set(result) <= KEYS for result in report["results"])
        assert all(
            isinstance(text, str) for result in report["results"] for text in result["properties"].values()
        )
        report["metadata"]["resourceVersion"] = str(version + 1)
        self.stored[path] = report
        return 201, {}, b"{}"

    stored: dict[str, dict]  # type: ignore[type-arg]
    conflicts = 0


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.stored = {}
    return made


def test_alerts_become_results_of_the_report_of_their_namespace(cluster: Cluster, tmp_path: Path) -> None:
    other = dataclasses.replace(ALERT, rule="No namespace", fields={}, priority="Warning", eyas={"id": "x"})
    with cluster:
        values: dict[str, object] = {"enabled": True, "kubeconfig": kubeconfig(tmp_path, cluster.url)}
        assert deliver("policyreport", values, [ALERT, other, HOSTILE]) == [delivered()] * 3
        assert deliver("policyreport", values, [ALERT]) == [delivered()]
    own = cluster.stored[f"{REPORTS}/namespaces/shop/policyreports/falco-policy-report"]
    (result,) = own["results"]
    assert own["summary"] == {"pass": 0, "error": 0, "skip": 0, "fail": 1, "warn": 0}
    assert result["policy"] == ALERT.rule and result["severity"] == "critical"
    assert result["timestamp"] == {"seconds": 1_700_000_000, "nanos": 123_456_789}
    assert result["resources"] == [
        {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "cart-5d9"}
    ]
    whole = cluster.stored[f"{REPORTS}/clusterpolicyreports/falco-cluster-policy-report"]
    assert [result["result"] for result in whole["results"]] == ["warn", "fail"]


def test_a_conflict_is_tried_again_and_what_is_too_much_goes(cluster: Cluster, tmp_path: Path) -> None:
    many = [
        dataclasses.replace(ALERT, eyas={"id": str(n)}, priority="Critical" if n % 2 else "Warning")
        for n in range(6)
    ]
    with cluster:
        cluster.conflicts = 2
        config = kubeconfig(tmp_path, cluster.url)
        values: dict[str, object] = {
            "enabled": True,
            "kubeconfig": config,
            "maxevents": 3,
            "prunebypriority": True,
        }
        assert set(deliver("policyreport", values, many)) == {delivered()}
        cluster.conflicts = 99
        assert deliver("policyreport", values, [ALERT])[0].outcome is Outcome.RETRY
    (report,) = cluster.stored.values()
    assert [result["result"] for result in report["results"]] == ["fail"] * 3


def test_what_is_below_a_warning_is_not_written() -> None:
    takes = find("policyreport").takes
    assert takes is not None and takes(ALERT)
    assert not takes(dataclasses.replace(ALERT, priority="Notice"))
    assert not takes(dataclasses.replace(ALERT, source="okta"))


@pytest.mark.parametrize("name", ["openfaas", "fission", "kubeless"])
def test_functions_are_called_through_the_api_server(name: str, tmp_path: Path) -> None:
    key = "functionname" if name == "openfaas" else "function"
    with Service() as service:
        values: dict[str, object] = {key: "react", "kubeconfig": kubeconfig(tmp_path, service.url)}
        values |= {"namespace": "falco"} if name == "kubeless" else {}
        assert deliver(name, values, [ALERT, HOSTILE]) == [delivered()] * 2
        service.always = (503, {}, b"no endpoints available")
        (answer,) = deliver(name, values, [ALERT])
        assert answer.outcome is Outcome.RETRY and "no endpoints" in answer.reason
        seen = service.seen[0]
    assert seen.path.startswith("/api/v1/namespaces/") and "/proxy/" in seen.path
    assert seen.headers["authorization"] == "Bearer proof"
    assert json.loads(seen.body) == json.loads(event.event_json(ALERT))


def test_an_api_server_that_is_away_is_asked_later_and_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    config = kubeconfig(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert (
        deliver("policyreport", {"enabled": True, "kubeconfig": config}, [ALERT])[0].outcome is Outcome.RETRY
    )
    with pytest.raises(UsageError, match="kubeconfig '/none'"):
        deliver("policyreport", {"enabled": True, "kubeconfig": "/none"}, [ALERT])
