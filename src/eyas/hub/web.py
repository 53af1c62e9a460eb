"""What the sensor serves over HTTP: health, readiness, metrics; and the door for alerts of other detectors."""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from eyas.errors import EyasError, RunError, UsageError
from eyas.hub import foreign, page
from eyas.hub.hub import Hub
from eyas.hub.metrics import Collector

LARGEST = 4 << 20
MOST = 1000  # alerts in one request

log = structlog.get_logger("eyas.web")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen."""

    address: str
    port: int
    certificate: str = ""
    key: str = ""  # in the file of the certificate if empty
    client_ca: str = ""  # who signs the certificates of clients; none is asked for if empty

    def problem(self) -> str:
        """What is wrong with the files, before anything listens."""
        for path in filter(None, (self.certificate, self.key, self.client_ca)):
            try:
                with Path(path).open("rb"):
                    pass
            except OSError as error:
                return f"{path}: {(error.strerror or str(error)).lower()}"
        return ""


@dataclass(slots=True)
class Inputs:
    """What came in through the door."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)


def health(hub: Hub, collector: Collector | None, path: str = "/healthz") -> Starlette:
    """Health, readiness, versions, metrics if they are wanted, and a dashboard for them."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        trouble = hub.writer.trouble
        return JSONResponse(
            {"status": "trouble" if trouble else "ok", "store": trouble or "ok"}, 503 if trouble else 200
        )

    async def figures(_: Request) -> Response:
        if collector is None:
            return PlainTextResponse("metrics are switched off", 404)
        return Response(
            await run_in_threadpool(collector.text), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    async def dashboard(_: Request) -> Response:
        return Response(page.text("grafana.json"), media_type="application/json")

    async def versions(_: Request) -> Response:
        from eyas import _core

        return JSONResponse(
            {"eyas_version": _core.__version__, "falco_version": "0.44.0", "engine_version": "63"}
        )

    return Starlette(
        routes=[
            Route(path, alive),
            Route("/readyz", ready),
            Route("/metrics", figures),
            Route("/versions", versions),
            Route("/grafana.json", dashboard),
        ]
    )


def door(
    hub: Hub, collector: Collector, form: str = "auto", token: str = "", test: Callable[[], Any] | None = None
) -> Starlette:
    """Where Falcosidekick stood: alerts come in by POST."""
    inputs = Inputs()

    async def take(request: Request) -> Response:
        if not _shown(request, token):
            inputs.counts["unknown", "rejected"] += 1
            return PlainTextResponse("the token is missing or wrong", 401)
        try:
            made = [foreign.read(body, form) for body in await _bodies(request)]
        except UsageError as error:
            inputs.counts["unknown", "rejected"] += 1
            log.warning("input refused", reason=str(error))
            return PlainTextResponse(str(error), 400)
        for one in made:
            inputs.counts[one.source, "accepted"] += 1
            await run_in_threadpool(hub.accept, one)
        if not await run_in_threadpool(hub.flush):
            return PlainTextResponse("the store takes nothing at present", 503)
        return PlainTextResponse("ok")

    async def wrong(_: Request) -> Response:
        return PlainTextResponse("expected POST with a JSON object", 400)

    async def ping(_: Request) -> Response:
        return PlainTextResponse("pong\n")

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def tried(request: Request) -> Response:
        if not _shown(request, token):
            return PlainTextResponse("the token is missing or wrong", 401)
        if test is not None:
            await run_in_threadpool(hub.accept, test())
        return PlainTextResponse("ok")

    async def figures(_: Request) -> Response:
        own = _inputs(inputs) + await run_in_threadpool(collector.text)
        return Response(own, media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(
        routes=[
            Route("/", take, methods=["POST"]),
            Route("/", wrong, methods=["GET", "PUT", "DELETE", "PATCH"]),
            Route("/ping", ping),
            Route("/healthz", alive),
            Route("/test", tried, methods=["POST"]),
            Route("/metrics", figures),
        ]
    )


def _shown(request: Request, token: str) -> bool:
    """Whether the sender knows the token."""
    said = request.headers.get("authorization", "").encode("utf-8", "replace")
    return not token or hmac.compare_digest(said, f"Bearer {token}".encode())


def only(app: Starlette, paths: Sequence[str]) -> Starlette:
    """A part of an application: some of its paths."""
    return Starlette(
        routes=[route for route in app.routes if isinstance(route, Route) and route.path in paths]
    )


async def _bodies(request: Request) -> list[Any]:
    """The objects of a request: one, a list of them, or one a line. Numbers stay as they are written."""
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > LARGEST:
            raise UsageError(f"more than {LARGEST} bytes")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in raw.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise UsageError(f"not JSON: {error}") from None
    bodies = found if isinstance(found, list) else [found]
    if not bodies or len(bodies) > MOST:
        raise UsageError(f"expected 1 to {MOST} alerts, found {len(bodies)}")
    return bodies


def _inputs(inputs: Inputs) -> bytes:
    name = "falcosecurity_falcosidekick_inputs_total"
    lines = [f"# HELP {name} Requests by source.", f"# TYPE {name} counter"]
    for (source, status), number in inputs.counts.items():
        safe = "".join(c for c in source if c.isalnum() or c in "._-")
        lines.append(f'{name}{{source="{safe}",status="{status}"}} {number}')
    return ("\n".join(lines) + "\n").encode()


class Served:
    """An application being served from a thread of its own."""

    def __init__(self, app: Starlette, place: Place) -> None:
        if problem := place.problem():
            raise UsageError(f"cannot serve on {place.address}:{place.port}: {problem}")
        config = uvicorn.Config(
            app, host=place.address, port=place.port, log_config=None, access_log=False, lifespan="off", ws="none",
            timeout_keep_alive=10, limit_concurrency=200, h11_max_incomplete_event_size=1 << 16,
            ssl_certfile=place.certificate or None, ssl_keyfile=place.key or place.certificate or None,
            ssl_ca_certs=place.client_ca or None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if place.client_ca else ssl.CERT_NONE,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        try:
            config.load()
            self._socket = config.bind_socket()
            # Connections inherit it. Without it each answer waits 40 ms for the client to acknowledge its head.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.listen(128)
        except (OSError, ssl.SSLError, SystemExit) as error:
            what = (
                getattr(error, "strerror", None) or "the address is taken, or the certificate cannot be read"
            )
            raise RunError(f"cannot serve on {place.address}:{place.port}: {what}") from None
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name=f"eyas-web-{self.port}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve([self._socket]))
        except EyasError as error:
            log.error("server ended", reason=str(error))

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(5)
