"""Requests over HTTP: the head that all share, and addresses put together from parts nobody can break out of."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from eyas.delivery import Request
from eyas.outputs.body.event import encode

AGENT = "Eyas"
JSON = "application/json; charset=utf-8"


def post(url: str | SecretStr, body: Any, headers: Mapping[str, str] | None = None) -> Request:
    """POST a value as JSON."""
    return send("POST", url, encode(body), headers)


def send(
    method: str, url: str | SecretStr, body: bytes, headers: Mapping[str, str] | None = None, kind: str = JSON
) -> Request:
    """A request with our name and the type of its body; `headers` come last and win."""
    head = {"Content-Type": kind, "User-Agent": AGENT}
    for name, value in (headers or {}).items():
        head = {key: kept for key, kept in head.items() if key.lower() != name.lower()} | {name: value}
    return Request(method, reveal(url), head, body)


def reveal(value: str | SecretStr) -> str:
    """The text of a setting, secret or not."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def basic(user: str, password: str | SecretStr) -> dict[str, str]:
    """Header of HTTP Basic, RFC 7617, or none without a user."""
    if not user:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{reveal(password)}".encode()).decode()}


def address(host: str, scheme: str = "https") -> str:
    """A host with its scheme."""
    return host if "://" in host else f"{scheme}://{host}"


def join(host: str | SecretStr, *path: str) -> str:
    """An address below another; `part` what comes from settings or alerts."""
    return "/".join((reveal(host).rstrip("/"), *(piece.strip("/") for piece in path)))


def part(text: str) -> str:
    """Text as one piece of a path or query."""
    return quote(text, safe="")
