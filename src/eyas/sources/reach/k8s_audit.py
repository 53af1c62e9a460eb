"""Kubernetes audit: the API server's webhook and log file, and what EKS, GKE and AKS make of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from eyas.sources.reach import eventhubs
from eyas.sources.reach.way import Way, mapped
from eyas.transports import aws, cloudwatch, http, pubsub
from eyas.transports.parcel import Link, Parcel

RECEPTION = http.Reception()


@dataclass(frozen=True, kw_only=True)
class Webhook(http.Settings):
    """Where the API server posts to."""

    path: Annotated[str, "Path that the API server posts to."] = "/k8s-audit"


@dataclass(frozen=True, kw_only=True)
class Eks(aws.Account):
    """Which cluster."""

    cluster: Annotated[str, "Name of the cluster."]
    late: Annotated[float, "Seconds that an event may come late."] = 120.0
    interval: Annotated[float, "Seconds between two looks."] = 5.0

    def group(self) -> cloudwatch.Settings:
        """The log group of the cluster's control plane."""
        return cloudwatch.Settings(
            region=self.region,
            profile=self.profile,
            role=self.role,
            external_id=self.external_id,
            endpoint=self.endpoint,
            group=f"/aws/eks/{self.cluster}/cluster",
            streams="kube-apiserver-audit",
            late=self.late,
            interval=self.interval,
        )


def eks(settings: Eks, link: Link) -> Iterator[Parcel]:
    """Audit events of an EKS cluster; each is told its cluster."""
    found = cloudwatch.parcels(settings.group(), link)
    return mapped(found, lambda parcel: b"\n".join(_lines(parcel.body, settings.cluster)), link)


def _lines(body: bytes, cluster: str) -> Iterator[bytes]:
    for line in body.splitlines():
        try:
            yield json.dumps(_named(json.loads(line), cluster)).encode()
        except (ValueError, RecursionError, AttributeError):
            yield line  # whoever judges says what is wrong with it


def _named(event: dict[str, Any], cluster: str) -> dict[str, Any]:
    notes = event.get("annotations")
    return {**event, "annotations": {**(notes if isinstance(notes, dict) else {}), "cluster_name": cluster}}


def aks(settings: eventhubs.Settings, link: Link) -> Iterator[Parcel]:
    """Audit events of an AKS cluster."""
    return mapped(eventhubs.parcels(settings, link), lambda parcel: from_aks(parcel.body), link)


def from_aks(body: bytes) -> bytes | None:
    """Events inside the records of Azure's diagnostic log; they stand there as text."""
    found = (_inside(record) for record in json.loads(body)["records"])
    return b"\n".join(line for line in found if line) or None


def _inside(record: Any) -> bytes | None:
    """The event in a record; what holds none where one belongs is left for whoever judges to refuse."""
    try:
        if record.get("category") not in ("kube-audit", "kube-audit-admin"):
            return None
        cluster = str(record.get("resourceId", "")).rpartition("/")[2].lower()
        return json.dumps(_named(json.loads(record["properties"]["log"]), cluster)).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return b"no event"


def gke(settings: pubsub.Settings, link: Link) -> Iterator[Parcel]:
    """Audit events of a GKE cluster."""
    return mapped(pubsub.parcels(settings, link), lambda parcel: from_gke(parcel.body), link)


# HTTP codes of the codes that Google's interfaces give; https://cloud.google.com/apis/design/errors
_CODES = {0: 200, 3: 400, 5: 404, 6: 409, 7: 403, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401}


def from_gke(body: bytes) -> bytes | None:
    """An audit event from an entry of Google's audit log; None when it is about something else."""
    entry = json.loads(body)
    payload = entry.get("protoPayload")
    if not isinstance(payload, dict) or not str(payload.get("methodName", "")).startswith("io.k8s."):
        return None
    return json.dumps(_event(entry, payload)).encode()


def _event(entry: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    verb = payload["methodName"].rpartition(".")[2]
    labels = entry.get("labels") or {}
    names = (entry.get("resource") or {}).get("labels") or {}
    caller = payload.get("requestMetadata") or {}
    path = str(payload.get("resourceName", ""))
    code = int((payload.get("status") or {}).get("code", 0))
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse" if payload.get("response") else "Request",
        "auditID": (entry.get("operation") or {}).get("id") or entry.get("insertId"),
        "stage": "ResponseComplete",
        "requestURI": ("/api/" if path.startswith("core/") else "/apis/") + path.removeprefix("core/"),
        "verb": verb,
        "user": {"username": (payload.get("authenticationInfo") or {}).get("principalEmail")},
        "sourceIPs": [caller["callerIp"]] if "callerIp" in caller else [],
        "userAgent": caller.get("callerSuppliedUserAgent"),
        "objectRef": _target(path, payload["methodName"]),
        "responseStatus": {"code": 201 if verb == "create" and code == 0 else _CODES.get(code, 500)},
        "requestObject": payload.get("request"),
        "responseObject": payload.get("response"),
        "requestReceivedTimestamp": entry.get("timestamp"),
        "stageTimestamp": entry.get("timestamp"),
        "annotations": {**labels, "cluster_name": names.get("cluster_name", "")},
    }
    return {key: value for key, value in event.items() if value is not None}


def _target(path: str, method: str) -> dict[str, str]:
    """What `apps/v1/namespaces/default/deployments/web/scale` is about."""
    group, version, *steps = [*path.split("/"), "", ""]
    target = {"apiVersion": version} if group == "core" else {"apiGroup": group, "apiVersion": version}
    steps = [step for step in steps if step]
    if len(steps) > 2 and steps[0] == "namespaces":
        target["namespace"] = steps[1]
        steps = steps[2:]
    target |= dict(zip(("resource", "name", "subresource"), steps, strict=False))
    if "resource" not in target:
        target["resource"] = method.split(".")[-2]
    return target


WAYS = (
    Way(
        "http",
        "webhook of the API server",
        Webhook,
        functools.partial(http.parcels, reception=RECEPTION),
        functools.partial(http.probe, reception=RECEPTION),
    ),
    Way("eks", "Amazon EKS, through CloudWatch Logs", Eks, eks, lambda s: cloudwatch.probe(s.group())),
    Way("gke", "Google GKE, through Pub/Sub", pubsub.Settings, gke, pubsub.probe),
    Way("aks", "Azure AKS, through Event Hubs", eventhubs.Settings, aks, eventhubs.probe),
)
