"""One call over gRPC on a socket in the file system: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

TIMEOUT = 2.0
# Longer answers are not read.
MOST = 16 << 20

_HEAD = struct.Struct(">BI")
_HEADERS = {"content-type": "application/grpc", "te": "trailers"}


def call(socket: Path, method: str, request: bytes, timeout: float = TIMEOUT) -> bytes | None:
    """Send a message; gives the answer, none when there is none: the call failed."""
    import httpx

    way = httpx.HTTPTransport(uds=str(socket), http1=False, http2=True)
    body = _HEAD.pack(0, len(request)) + request
    try:
        with (
            httpx.Client(transport=way, timeout=timeout, trust_env=False) as client,
            client.stream("POST", f"http://localhost/{method}", content=body, headers=_HEADERS) as answer,
        ):
            return _message(_read(answer)) if answer.status_code == httpx.codes.OK else None
    except httpx.HTTPError:
        return None


def _read(answer: httpx.Response) -> bytes:
    """The body, as far as it is not too long."""
    body = bytearray()
    for part in answer.iter_raw():
        body += part
        if len(body) > MOST:
            return b""
    return bytes(body)


def _message(body: bytes) -> bytes | None:
    """The one message of a body. A failed call has none; its status is in trailers, which nobody needs."""
    if len(body) < _HEAD.size:
        return None
    packed, length = _HEAD.unpack_from(body)
    whole = not packed and len(body) >= _HEAD.size + length
    return body[_HEAD.size : _HEAD.size + length] if whole else None
