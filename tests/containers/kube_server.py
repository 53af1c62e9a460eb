"""The part of the Kubernetes API that the sensor uses, as strict as the real one: tokens, selectors, versions, 410 Gone."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "secret-of-the-node"
NODE = "node-1"


def thing(
    name: str, labels: dict[str, str], owner: tuple[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """An object of the API; its uid follows from its name."""
    meta: dict[str, Any] = {"name": name, "uid": f"uid-of-{name}", "labels": labels, "namespace": "shop"}
    if owner:
        kind, of = owner
        meta["ownerReferences"] = [{"kind": kind, "name": of, "uid": f"uid-of-{of}", "controller": True}]
    return {"metadata": meta, **more}


@dataclass
class Api:
    """What the cluster holds, and what was asked."""

    pods: list[dict[str, Any]]
    objects: dict[str, dict[str, Any]]
    version: int = 10
    oldest: int = 0
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    events: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    url: str = ""

    def change(self, kind: str, pod: dict[str, Any]) -> None:
        """Let whoever watches hear of a pod."""
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        self.events.put({"type": kind, "object": pod})

    def expire(self) -> None:
        """Forget old versions: a watch that goes on from them is told 410 Gone."""
        self.version += 100
        self.oldest = self.version
        gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
        self.events.put({"type": "ERROR", "object": gone})
        self.events.put(None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        api: Api = self.server.api  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        api.asked.append(parts.path)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"kind": "Status", "code": 401})
        elif parts.path != "/api/v1/pods":
            found = api.objects.get(parts.path)
            self._answer(200 if found else 404, found or {"kind": "Status", "code": 404})
        elif query.get("fieldSelector") != f"spec.nodeName={NODE}":
            api.faults.append(f"pods of other nodes were asked for: {self.path}")
            self._answer(403, {"kind": "Status", "code": 403})
        elif query.get("watch") == "true":
            self._watch(api, query)
        else:
            self._list(api, query)

    def _list(self, api: Api, query: dict[str, str]) -> None:
        """One pod a page, so that whoever does not read on misses some."""
        at = int(query.get("continue", "0"))
        meta = {"resourceVersion": str(api.version)}
        if at + 1 < len(api.pods):
            meta["continue"] = str(at + 1)
        self._answer(200, {"kind": "PodList", "metadata": meta, "items": api.pods[at : at + 1]})

    def _watch(self, api: Api, query: dict[str, str]) -> None:
        version = query.get("resourceVersion", "")
        if not version.isdecimal() or int(version) > api.version:
            api.faults.append(f"a watch began at version {version!r}")
        if int(version or 0) < api.oldest:
            self._answer(410, {"kind": "Status", "code": 410})
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while (event := api.events.get()) is not None:
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serve(api: Api) -> Iterator[Api]:
    """Answer as the API until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.api = api  # type: ignore[attr-defined]
    api.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        api.events.put(None)
        server.shutdown()
        server.server_close()
