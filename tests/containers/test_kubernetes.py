"""What the API of a cluster says about the pods of this node."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eyas.config import schema
from eyas.containers import RUNTIMES, Answers, Cluster, containerd, kubernetes
from eyas.containers.kubernetes import Pods
from eyas.errors import UsageError
from eyas.watch import machine as this_machine
from tests.containers import kube_server
from tests.containers.kube_server import NODE, TOKEN, Api, thing

PATIENCE = 30
FULL = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"


def web(ip: str = "10.1.0.7") -> dict[str, object]:
    return thing("web-1", {"app": "web"}, ("ReplicaSet", "web-5d8"), status={"podIP": ip})


@pytest.fixture
def api() -> Iterator[Api]:
    agent = thing("agent-x", {"app": "agent"}, ("DaemonSet", "agent"), status={})
    objects = {
        "/api/v1/namespaces/shop": thing("shop", {"team": "falcons"}),
        "/api/v1/namespaces/shop/services": {
            "items": [
                thing("other", {}, spec={"selector": {"app": "other"}}),
                thing("front", {"tier": "front"}, spec={"selector": {"app": "web"}}),
            ]
        },
        "/apis/apps/v1/namespaces/shop/replicasets/web-5d8": thing(
            "web-5d8", {"h": "5d8"}, ("Deployment", "web")
        ),
        "/apis/apps/v1/namespaces/shop/deployments/web": thing("web", {"app": "web"}),
    }
    with kube_server.serve(Api([web(), agent], objects)) as served:
        yield served
        assert served.faults == []


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Cluster:
    (tmp_path / "token").write_text(TOKEN + "\n")
    return Cluster(api.url, NODE, tmp_path / "token")


@dataclass
class Following:
    """Pods being watched, and the news of them."""

    pods: Pods
    news: queue.Queue[str]
    said: queue.Queue[str]

    def hears_of(self, uid: str) -> dict[str, object]:
        while self.news.get(timeout=PATIENCE) != uid:
            pass
        found = self.pods.of(uid)
        assert found is not None
        return found


@pytest.fixture
def following(cluster: Cluster) -> Iterator[Following]:
    news: queue.Queue[str] = queue.Queue()
    said: queue.Queue[str] = queue.Queue()
    pods = Pods(cluster, news.put, said.put)
    yield Following(pods, news, said)
    pods.close()


def test_a_pod_has_its_namespace_its_owners_and_its_service(following) -> None:
    assert following.hears_of("uid-of-web-1") == {
        "pod": {"name": "web-1", "uid": "uid-of-web-1", "labels": {"app": "web"}, "ip": "10.1.0.7"},
        "ns": {"name": "shop", "uid": "uid-of-shop", "labels": {"team": "falcons"}},
        "rs": {"name": "web-5d8", "uid": "uid-of-web-5d8", "labels": {"h": "5d8"}},
        "deployment": {"name": "web", "uid": "uid-of-web", "labels": {"app": "web"}},
        "svc": {"name": "front", "uid": "uid-of-front", "labels": {"tier": "front"}},
    }


def test_an_owner_that_may_not_be_asked_for_has_the_name_of_the_reference(following) -> None:
    found = following.hears_of("uid-of-agent-x")
    assert found["daemonset"] == {"name": "agent", "uid": "uid-of-agent", "labels": {}}


def test_changes_come_by_the_watch_and_after_410_everything_is_listed_again(following, api) -> None:
    following.hears_of("uid-of-agent-x")
    api.change("MODIFIED", web("10.1.0.8"))
    assert following.hears_of("uid-of-web-1")["pod"]["ip"] == "10.1.0.8"
    api.pods[0] = web("10.1.0.9")
    api.expire()
    assert following.hears_of("uid-of-web-1")["pod"]["ip"] == "10.1.0.9"
    following.hears_of("uid-of-agent-x")
    api.change("ADDED", thing("late", {}))
    following.hears_of("uid-of-late")
    assert following.said.empty()


def test_of_pods_that_are_gone_only_the_last_are_known(following, api, monkeypatch) -> None:
    monkeypatch.setattr(kubernetes, "GONE", 1)
    following.hears_of("uid-of-agent-x")
    for pod in (web(), thing("agent-x", {})):
        api.change("DELETED", pod)
    api.change("ADDED", thing("late", {}))
    following.hears_of("uid-of-late")
    assert following.pods.of("uid-of-web-1") is None
    assert following.pods.of("uid-of-agent-x") is not None


def test_a_server_that_ends_every_watch_at_once_is_left_alone_longer_each_time(cluster, api) -> None:
    pauses: queue.Queue[int] = queue.Queue()

    class Hasty(Pods):
        def _pause(self, tries: int) -> None:
            pauses.put(tries)

    for _ in range(3):
        api.events.put(None)
    pods = Hasty(cluster, lambda _: None, lambda _: None)
    assert [pauses.get(timeout=PATIENCE) for _ in range(3)] == [0, 1, 2]
    pods.close()


def test_a_wrong_token_is_said_once_and_tried_again(api, tmp_path) -> None:
    (tmp_path / "token").write_text("wrong")
    said: queue.Queue[str] = queue.Queue()
    pods = Pods(Cluster(api.url, NODE, tmp_path / "token"), lambda _: None, said.put)
    assert "expected status 200, found 401" in said.get(timeout=PATIENCE)
    pods.close()


def test_a_container_is_described_with_its_pod_and_anew_when_the_pod_changes(cluster, api, tmp_path) -> None:
    notes = {
        "io.kubernetes.cri.sandbox-id": "b" * 64,
        "io.kubernetes.cri.sandbox-uid": "uid-of-web-1",
        "io.kubernetes.cri.container-name": "web",
    }
    bundle = tmp_path / containerd.TASKS[0] / "k8s.io" / FULL
    bundle.mkdir(parents=True)
    (bundle / "config.json").write_text(json.dumps({"annotations": notes, "linux": {}}))
    told: queue.Queue[dict[str, object]] = queue.Queue()
    answers = Answers(
        lambda _, values: told.put(json.loads(values["json"])["container"]),
        RUNTIMES,
        tmp_path,
        cluster,
        print,
    )

    @dataclass(frozen=True)
    class Asked:
        container: str = FULL[:12]
        cgroup: str = f"/kubepods/pod1/{FULL}"
        pid: int = 0
        new: bool = True
        inside: bool = False
        command: tuple[str, ...] = ()

    answers.ask(Asked())
    addresses = set()
    while "10.1.0.7" not in addresses:
        addresses.add(told.get(timeout=PATIENCE).get("k8s", {}).get("pod", {}).get("ip"))
    api.change("MODIFIED", web("10.1.0.8"))
    while "10.1.0.8" not in addresses:
        addresses.add(told.get(timeout=PATIENCE)["k8s"]["pod"]["ip"])
    answers.close()


def test_the_cluster_this_runs_in_is_found(monkeypatch) -> None:
    wanted = schema.Kubernetes(enabled=True, node="n")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(UsageError, match=r"kubernetes\.url"):
        this_machine.cluster(wanted)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    found = this_machine.cluster(wanted)
    assert found is not None
    assert (found.url, found.node) == ("https://[fd00::1]:6443", "n")
    assert this_machine.cluster(schema.Kubernetes()) is None
