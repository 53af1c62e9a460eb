"""A shell in a pod of EKS, GKE and AKS, from what the cloud sends to the alert of the rules we ship."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eyas import rules
from eyas.alert import Alert
from eyas.errors import RunError
from eyas.intake import Intake, configured, judges
from eyas.sources import members
from eyas.sources.reach import eventhubs
from eyas.transports import aws
from eyas.transports.checkpoint import Checkpoints
from eyas.transports.secret import Secret
from tests import gke, kafka
from tests.service import Asked, Says, service
from tests.transports.conftest import wait_until

EXEC = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "auditID": "one",
    "stage": "ResponseStarted",
    "stageTimestamp": "2026-01-31T10:00:00.000000Z",
    "verb": "create",
    "user": {"username": "ann"},
    "requestURI": "/api/v1/namespaces/shop/pods/web/exec?command=bash",
    "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web"},
    "responseStatus": {"code": 101},
    "annotations": {"authorization.k8s.io/decision": "allow"},
}


@contextmanager
def alerts(folder: Path, **section: Any) -> Iterator[list[Alert]]:
    """Alerts of a configured cluster by the rules we ship."""
    found = rules.load([rules.SERVICES / "k8s_audit.yaml"], members.known())
    raised: list[Alert] = []
    store = Checkpoints(folder / "checkpoints.db")
    known = judges(["k8s_audit"], found.active, members.known())
    intake = Intake(configured({"k8s_audit": section}), known, store, raised.extend)
    thread = threading.Thread(target=intake.run)
    thread.start()
    try:
        yield raised
    finally:
        intake.stop()
        thread.join()
        store.close()


def shell(raised: list[Alert]) -> str:
    """The text of the one alert, once it is there."""
    wait_until(lambda: bool(raised))
    (alert,) = raised
    return alert.message


def test_eks_through_cloudwatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto.server", reason="moto is not installed: uv sync --all-extras")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    account = {"region": "eu-central-1", "endpoint": "http://{}:{}".format(*server.get_host_and_port())}
    logs, group, stream = (
        aws.client("logs", aws.Account(**account)),
        "/aws/eks/shop/cluster",
        "kube-apiserver-audit-1",
    )
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    with alerts(tmp_path, via="eks", cluster="shop", interval=0.05, **account) as raised:
        event = {"timestamp": int(time.time() * 1000), "message": json.dumps(EXEC)}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
        assert "pod=web" in shell(raised)
    server.stop()


def test_gke_through_pubsub(tmp_path: Path) -> None:
    data = base64.b64encode(json.dumps(gke.ENTRY).encode()).decode()
    waiting = [{"ackId": "a", "message": {"data": data, "messageId": "a"}}]
    acknowledged: list[str] = []

    def google(asked: Asked) -> Says:
        if asked.path.endswith(":pull"):
            return Says({"receivedMessages": [waiting.pop()]} if waiting else {})
        acknowledged.extend(json.loads(asked.body)["ackIds"])
        return Says({})

    with (
        service(google) as hub,
        alerts(tmp_path, via="gke", project="p", subscription="s", endpoint=hub.url, interval=0.01) as raised,
    ):
        assert "user=ann@example.com pod=web" in shell(raised)
        wait_until(lambda: acknowledged == ["a"])


def test_aks_through_event_hubs(tmp_path: Path) -> None:
    connection = "Endpoint=sb://{address}/;SharedAccessKeyName=listen;SharedAccessKey=x"
    with kafka.broker(tmp_path, "$ConnectionString", connection) as broker:
        record = {"category": "kube-audit", "resourceId": "/X/PROD", "properties": {"log": json.dumps(EXEC)}}
        broker.produce("audit", json.dumps({"records": [record]}).encode())
        wrong = Secret(broker.password.replace("Key=x", "Key=y"))
        with pytest.raises(RunError, match=r"[Aa]uthentication failed"):
            eventhubs.probe(eventhubs.Settings(hub="audit", connection=wrong, ca=broker.ca))
        hub = {"hub": "audit", "connection": broker.password, "ca": str(broker.ca)}
        with alerts(tmp_path, via="aks", **hub) as raised:
            assert "pod=web" in shell(raised)
