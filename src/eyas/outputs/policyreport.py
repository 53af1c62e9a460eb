"""Kubernetes policy report: the alert as a result in the report of its namespace, or of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from eyas.alert import SECOND, Alert
from eyas.delivery import Answer, Request, Sender, delivered, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import part
from eyas.outputs.body.kube import SCHEME
from eyas.outputs.card import Output, Settings
from eyas.outputs.values import rank
from eyas.outputs.wire.kubernetes import ApiServer, connect

GROUP = "wgpolicyk8s.io/v1alpha2"
SOURCES = frozenset(("", "syscall", "syscalls", "k8s_audit", "k8saudit"))
SEVERITIES = {"debug": "info", "informational": "info", "notice": "low", "warning": "medium", "error": "high"}
KINDS = {
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "secrets": ("v1", "Secret"),
    "configmaps": ("v1", "ConfigMap"),
    "namespaces": ("v1", "Namespace"),
    "serviceaccounts": ("v1", "ServiceAccount"),
    "daemonsets": ("apps/v1", "DaemonSet"),
    "deployments": ("apps/v1", "Deployment"),
    "cronjobs": ("batch/v1", "CronJob"),
    "jobs": ("batch/v1", "Job"),
    "clusterroles": ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    "clusterrolebindings": ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    "roles": ("rbac.authorization.k8s.io/v1", "Role"),
    "rolebindings": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
}
LARGEST = 1_000_000  # bytes of a report; etcd takes 1.5 MiB, https://etcd.io/docs/latest/dev-guide/limit/
TRIES = 5  # when someone else writes the report at the same time


class ReportSettings(Settings):
    """Keys below `policyreport`."""

    needs = ("enabled",)
    enabled: bool
    kubeconfig: str = ""
    falconamespace: str = ""
    maxevents: int = 1000
    prunebypriority: bool = False


def takes(alert: Alert) -> bool:
    """Warnings and above, of hosts and of the audit log."""
    return alert.source in SOURCES and rank(alert.priority) >= rank("warning")


def request(alert: Alert, settings: ReportSettings) -> Request:
    """One result and the report in which it belongs."""
    found = event.texts(alert)
    space = found.get("ka.target.namespace") or found.get("k8s.ns.name") or settings.falconamespace
    if space:
        path = f"namespaces/{part(space)}/policyreports/falco-policy-report"
    else:
        path = "clusterpolicyreports/falco-cluster-policy-report"
    body = event.encode(_result(alert, found, space))
    return Request("APPEND", f"{SCHEME}/apis/{GROUP}/{path}", {"content-type": "application/json"}, body)


def _result(alert: Alert, found: dict[str, str], space: str) -> dict[str, Any]:
    priority = alert.priority.lower()
    made: dict[str, Any] = {
        "policy": event.plain(alert.rule),
        "category": "SI - System and Information Integrity",
        "source": "Falco",
        "scored": False,
        "timestamp": {"seconds": alert.ts // SECOND, "nanos": alert.ts % SECOND},
        "severity": SEVERITIES.get(priority, "critical"),
        "result": "warn" if priority == "warning" else "fail",
        "message": event.output(alert),
        "properties": found | {"uuid": event.identity(alert)},
    }
    name = found.get("ka.target.name") or found.get("ka.resp.name") or found.get("k8s.pod.name")
    if name:
        resource = found.get("ka.target.resource") or "pods"
        version, kind = KINDS.get(resource, ("", resource))
        subject = {"apiVersion": version, "kind": kind, "namespace": space, "name": name}
        made["resources"] = [{key: value for key, value in subject.items() if value}]
    return made


class Reports:
    """Reads a report, adds results, and writes it back."""

    def __init__(self, server: ApiServer, settings: ReportSettings) -> None:
        self.server, self.settings = server, settings

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Results of one report together."""
        answers: dict[str, Answer] = {}
        for url in dict.fromkeys(request.url for request in batch):
            results = [orjson.loads(request.body) for request in batch if request.url == url]
            answers[url] = self._append(url, results)
        return [answers[request.url] for request in batch]

    def close(self) -> None:
        """Let go of the connections."""
        self.server.close()

    def _append(self, url: str, results: list[dict[str, Any]]) -> Answer:
        answer = retry("someone else writes the report all the time")
        for _ in range(TRIES):
            told, body = self.server.exchange(Request("GET", url, {"Accept": "application/json"}))
            if told != delivered() and not told.reason.startswith("HTTP 404"):
                return told
            found = orjson.loads(body) if told == delivered() else {}
            report = merged(found or _empty(url), results, self.settings)
            method, where = ("PUT", url) if found else ("POST", url.rpartition("/")[0])
            head = {"Content-Type": "application/json"}
            answer, _ = self.server.exchange(Request(method, where, head, event.encode(report)))
            if not answer.reason.startswith("HTTP 409"):
                return answer
        return answer


def merged(report: dict[str, Any], results: list[dict[str, Any]], settings: ReportSettings) -> dict[str, Any]:
    """A report with more results; a repeat is no second one, and what is too much goes."""
    known = {result.get("properties", {}).get("uuid"): result for result in report.get("results", [])}
    known |= {result["properties"]["uuid"]: result for result in results}
    kept = list(known.values())
    sizes = [len(event.encode(result)) for result in kept]
    while len(kept) > max(1, settings.maxevents) or (sum(sizes) > LARGEST and len(kept) > 1):
        at = _least(kept) if settings.prunebypriority else 0
        kept.pop(at)
        sizes.pop(at)
    counts = {what: sum(result["result"] == what for result in kept) for what in ("fail", "warn")}
    return report | {"results": kept, "summary": {"pass": 0, "error": 0, "skip": 0} | counts}


def _least(results: list[dict[str, Any]]) -> int:
    """Place of the oldest of those that matter least."""
    order = ("info", "low", "medium", "high", "critical")
    return min(range(len(results)), key=lambda at: order.index(results[at]["severity"]))


def _empty(url: str) -> dict[str, Any]:
    name = url.rpartition("/")[2]
    kind = "PolicyReport" if "/namespaces/" in url else "ClusterPolicyReport"
    labels = {"app.kubernetes.io/created-by": "eyas"}
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name, "labels": labels}}


def open_reports(settings: ReportSettings) -> Sender:
    """The reports of a cluster."""
    return Reports(connect(settings.kubeconfig), settings)


OUTPUT = Output(
    "policyreport",
    "Kubernetes policy report: a result for each alert",
    ReportSettings,
    request,
    open=open_reports,
    batch=50,
    takes=takes,
    libraries={"kubernetes": "kubernetes"},
    largest=100_000,
)
