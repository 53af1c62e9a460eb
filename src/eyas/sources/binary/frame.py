"""What the process of a plugin and ours say to each other: frames of a JSON header and a body."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">II")
LONGEST = 256 << 20


class FrameError(Exception):
    """The other side ended, or says something that is no frame."""


def send(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write a frame."""
    words = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(words), len(body)) + words + body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a frame."""
    words, body = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if words > LONGEST or body > LONGEST:
        raise FrameError("a frame is too long")
    try:
        header = json.loads(_exactly(stream, words))
    except (ValueError, RecursionError):
        raise FrameError("a frame has no header") from None
    if not isinstance(header, dict):
        raise FrameError("a frame has no header")
    return header, _exactly(stream, body)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise FrameError("the other side has ended")
    return found
