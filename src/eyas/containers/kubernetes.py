"""Pods of this node as the Kubernetes API knows them: labels, namespace, owners, services.

The list and then the watch of pods: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

TIMEOUT = 10.0
# A watch is opened anew after so many seconds, so that a dead connection does not go unnoticed.
WATCH_SECONDS = 300
PAGE = 500
# Seconds between tries when the server does not answer, or ends a watch that has hardly begun.
PATIENCE = (1.0, 2.0, 5.0, 15.0, 30.0)

# Kind of an owner → its name in fields, and where it is asked for; none where the reference says enough.
OWNERS: Mapping[str, tuple[str, str]] = {
    "ReplicaSet": ("rs", "apis/apps/v1/namespaces/{}/replicasets/{}"),
    "Deployment": ("deployment", "apis/apps/v1/namespaces/{}/deployments/{}"),
    "DaemonSet": ("daemonset", "apis/apps/v1/namespaces/{}/daemonsets/{}"),
    "StatefulSet": ("statefulset", "apis/apps/v1/namespaces/{}/statefulsets/{}"),
    "Job": ("job", "apis/batch/v1/namespaces/{}/jobs/{}"),
    "ReplicationController": ("rc", "api/v1/namespaces/{}/replicationcontrollers/{}"),
}
# A job of a cron job, a replica set of a deployment: no chain is longer.
DEEPEST = 4

# Pods that are gone and still known.
GONE = 512

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the API is and who asks."""

    url: str
    node: str
    token: Path | None = None
    authority: Path | None = None


class ExpiredError(Exception):
    """The version that a watch began at is too old: everything is listed again."""


class Pods:
    """Keeps the pods of a node in a thread of its own. `changed` is told the uid of each that came or changed."""

    def __init__(self, cluster: Cluster, changed: Callable[[str], None], said: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._changed = changed
        self._said = said
        self._known: dict[str, Object] = {}
        self._gone: deque[str] = deque()
        # Answers about namespaces, owners and services; as old as the watch at most.
        self._answers: dict[str, Object] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="eyas-pods", daemon=True).start()

    def of(self, uid: str) -> Object | None:
        """What is known of a pod: each kind of object with its name, uid and labels."""
        with self._lock:
            return self._known.get(uid)

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                with _client(self._cluster) as client:
                    version = self._list(client)
                    tries = 0
                    self._follow(client, version)
            except ExpiredError:
                continue
            except Exception as error:  # whatever an answer does to us, containers go on being named
                if tries == 0 and not self._stop.is_set():
                    self._said(f"kubernetes: {self._cluster.url}: {error or type(error).__name__}")
                self._pause(tries)
                tries += 1

    def _pause(self, tries: int) -> None:
        """Leave the server alone, longer each time."""
        self._stop.wait(PATIENCE[min(tries, len(PATIENCE) - 1)])

    def _list(self, client: httpx.Client) -> str:
        """Take all pods there are, page by page; gives the version to watch from."""
        query, seen = self._query(limit=PAGE), set()
        while True:
            page = _get(client, "api/v1/pods", query)
            for pod in page.get("items") or ():
                seen.add(self._take(client, pod))
            meta = page.get("metadata") or {}
            if not meta.get("continue"):
                break
            query["continue"] = meta["continue"]
        self._gone.clear()
        with self._lock:
            self._known = {uid: pod for uid, pod in self._known.items() if uid in seen}
        return str(meta.get("resourceVersion", ""))

    def _follow(self, client: httpx.Client, version: str) -> None:
        """Take what changes, and begin again where the server ended the watch."""
        short = 0
        while not self._stop.is_set():
            self._answers.clear()
            began = time.monotonic()
            for event in _watch(client, self._query(watch="true", resourceVersion=version)):
                found, kind = event.get("object") or {}, event.get("type")
                if kind == "ERROR":
                    raise _ended(found)
                meta = found.get("metadata") or {}
                version = str(meta.get("resourceVersion", version))
                if kind in ("ADDED", "MODIFIED"):
                    self._take(client, found)
                elif kind == "DELETED":
                    self._leave(str(meta.get("uid", "")))
            if time.monotonic() - began >= PATIENCE[0]:
                short = 0
                continue
            self._pause(short)
            short += 1

    def _leave(self, uid: str) -> None:
        """Forget a pod some time after it is gone: what its last processes did may still be read."""
        self._gone.append(uid)
        if len(self._gone) > GONE:
            with self._lock:
                self._known.pop(self._gone.popleft(), None)

    def _query(self, **more: Any) -> dict[str, Any]:
        query = {"fieldSelector": f"spec.nodeName={self._cluster.node}", **more}
        if "watch" in query:
            query |= {"allowWatchBookmarks": "true", "timeoutSeconds": WATCH_SECONDS}
        return query

    def _take(self, client: httpx.Client, pod: Object) -> str:
        meta = pod.get("metadata") or {}
        uid, namespace = str(meta.get("uid", "")), str(meta.get("namespace", ""))
        status = pod.get("status") or {}
        found: Object = {"pod": {**_facts(pod), "ip": str(status.get("podIP") or "")}}
        self._add(found, "ns", client, f"api/v1/namespaces/{namespace}")
        self._add_owners(found, client, namespace, meta)
        found |= self._services(client, namespace, meta.get("labels") or {})
        with self._lock:
            self._known[uid] = found
        self._changed(uid)
        return uid

    def _add_owners(self, found: Object, client: httpx.Client, namespace: str, meta: Object) -> None:
        for _ in range(DEEPEST):
            owners = meta.get("ownerReferences") or ()
            owner = next((one for one in owners if one.get("kind") in OWNERS), None)
            if owner is None:
                return
            kind, path = OWNERS[owner["kind"]]
            asked = self._add(found, kind, client, path.format(namespace, owner.get("name", "")))
            # Who may not ask still knows what the reference says.
            found.setdefault(kind, {"name": owner.get("name", ""), "uid": owner.get("uid", ""), "labels": {}})
            meta = asked.get("metadata") or {}

    def _add(self, found: Object, kind: str, client: httpx.Client, path: str) -> Object:
        """An object of the cluster; nothing for who may not ask."""
        asked = self._asked(client, path)
        if asked:
            found[kind] = _facts(asked)
        return asked

    def _asked(self, client: httpx.Client, path: str) -> Object:
        """An answer of the API, asked for once."""
        if path not in self._answers:
            try:
                self._answers[path] = _get(client, path, {})
            except OSError:
                self._answers[path] = {}
        return self._answers[path]

    def _services(self, client: httpx.Client, namespace: str, labels: Mapping[str, str]) -> Object:
        """The first service whose selector fits."""
        for service in self._asked(client, f"api/v1/namespaces/{namespace}/services").get("items") or ():
            selector = (service.get("spec") or {}).get("selector") or {}
            if selector and selector.items() <= labels.items():
                return {"svc": _facts(service)}
        return {}


def _ended(status: Object) -> Exception:
    """Why the server ended a watch."""
    return ExpiredError() if status.get("code") == 410 else OSError(status.get("message", "the watch failed"))


def _facts(found: Object) -> Object:
    meta = found.get("metadata") or {}
    return {"name": meta.get("name", ""), "uid": meta.get("uid", ""), "labels": meta.get("labels") or {}}


def _client(cluster: Cluster) -> httpx.Client:
    import ssl

    import httpx

    trust = ssl.create_default_context(cafile=str(cluster.authority) if cluster.authority else None)
    headers = {"accept": "application/json"}
    if cluster.token is not None:
        # The kubelet renews the file; each connection reads it again.
        headers["authorization"] = f"Bearer {cluster.token.read_text().strip()}"
    # A watch is silent for long; the server ends it.
    timeout = httpx.Timeout(TIMEOUT, read=WATCH_SECONDS + TIMEOUT)
    return httpx.Client(base_url=cluster.url, headers=headers, verify=trust, timeout=timeout, trust_env=False)


def _get(client: httpx.Client, path: str, query: Mapping[str, Any]) -> Object:
    answer = client.get(path, params=dict(query), timeout=TIMEOUT)
    if answer.status_code == 410:
        raise ExpiredError
    if answer.status_code != 200:
        raise OSError(f"{path}: expected status 200, found {answer.status_code}")
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _watch(client: httpx.Client, query: Mapping[str, Any]) -> Iterator[Object]:
    with client.stream("GET", "api/v1/pods", params=dict(query)) as answer:
        if answer.status_code == 410:
            raise ExpiredError
        if answer.status_code != 200:
            raise OSError(f"watch of pods: expected status 200, found {answer.status_code}")
        for line in answer.iter_lines():
            if line.strip():
                yield json.loads(line)
