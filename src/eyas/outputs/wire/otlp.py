"""Sending OpenTelemetry's messages, over HTTP or gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from eyas.delivery import (
    Answer,
    Outcome,
    Request,
    Sender,
    Trust,
    classify,
    delivered,
    in_turn,
    refused,
    retry,
)
from eyas.delivery.http import HttpSender
from eyas.outputs.body.http import send
from eyas.outputs.card import Settings, library
from eyas.outputs.values import Map

# Codes after which a sender may come back, OTLP specification, "Failures".
LATER = frozenset(
    (
        "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "UNKNOWN", "INTERNAL", "NOT_FOUND",
    )
)  # fmt: skip
METHODS = {
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
}


class OtlpSettings(Settings):
    """Keys that logs, metrics and traces share."""

    needs = ("endpoint",)
    endpoint: str
    protocol: str = "http/protobuf"
    timeout: int = 10000
    headers: str = ""
    extraenvvars: Map = {}
    tls: bool = False
    checkcert: bool = True
    mutualtls: bool = False


def export(signal: str, body: bytes, settings: OtlpSettings) -> Request:
    """A request of one signal: POST over HTTP, the call of a method over gRPC."""
    if settings.protocol == "grpc":
        return Request(METHODS[signal], settings.endpoint, metadata(settings.headers), body)
    url = settings.endpoint if "://" in settings.endpoint else f"http://{settings.endpoint}"
    if urlsplit(url).path in ("", "/"):
        url = f"{url.rstrip('/')}/v1/{signal}"
    return send("POST", url, body, metadata(settings.headers), "application/x-protobuf")


def metadata(text: str) -> dict[str, str]:
    """Headers from `key=value,key=value`, as OpenTelemetry writes them."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {key.strip().lower(): unquote(value.strip()) for key, _, value in pairs}


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """A collector may take a request in part; the answers of all signals have this in one place."""
    answer = classify(status, headers, body)
    return rejection(body) or answer if answer.outcome is Outcome.DELIVERED else answer


def rejection(body: bytes) -> Answer | None:
    """What the answer says about records that were not taken, if it says so."""
    kinds = library("opentelemetry.proto.collector.logs.v1.logs_service_pb2", "otlp")
    errors = library("google.protobuf.message", "otlp")
    try:
        part = kinds.ExportLogsServiceResponse.FromString(body).partial_success
    except errors.DecodeError:
        return None
    lost = part.rejected_log_records
    return refused(f"{lost} of the records not taken: {part.error_message}") if lost else None


def open_grpc(settings: OtlpSettings) -> Sender | None:
    """A channel for gRPC; plain HTTP needs none."""
    return Channel(settings) if settings.protocol == "grpc" else None


def open_any(settings: OtlpSettings) -> Sender:
    """Whatever the protocol needs."""
    return Channel(settings) if settings.protocol == "grpc" else HttpSender(settings.trust, judge)


class Channel:
    """A gRPC channel that carries messages as they are."""

    def __init__(self, settings: OtlpSettings) -> None:
        self.grpc = library("grpc", "otlp")
        self.timeout = settings.timeout / 1000
        where = urlsplit(settings.endpoint if "://" in settings.endpoint else f"http://{settings.endpoint}")
        if where.scheme == "https" or settings.tls:
            self.channel = self.grpc.secure_channel(where.netloc, _credentials(self.grpc, settings.trust))
        else:
            self.channel = self.grpc.insecure_channel(where.netloc)

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One call after the other."""
        return in_turn(batch, self._call)

    def close(self) -> None:
        """Hang up."""
        self.channel.close()

    def _call(self, request: Request) -> Answer:
        try:
            body = self.channel.unary_unary(request.method)(
                request.body, timeout=self.timeout, metadata=tuple(request.headers.items())
            )
            return rejection(body) or delivered()
        except self.grpc.RpcError as error:
            reason = f"{error.code().name}: {error.details()}"
            return retry(reason) if error.code().name in LATER else refused(reason)


def _credentials(grpc: Any, trust: Trust) -> Any:
    files = (trust.ca_file, trust.key_file, trust.cert_file)
    return grpc.ssl_channel_credentials(*(Path(path).read_bytes() if path else None for path in files))
