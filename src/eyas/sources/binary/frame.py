"""What the process of a plugin and ours say to each other: frames of a JSON header and a body."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any, Protocol

_LENGTHS = struct.Struct(">II")
LONGEST = 256 << 20


class FrameError(Exception):
    """The other side ended, or says something that is no frame."""


class LateError(Exception):
    """The other side says nothing for too long."""


class Ends(Protocol):
    """Two file descriptors: one to write to, one to read from."""

    def write(self, data: bytes) -> None:
        """Write all of it."""

    def read(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end."""


class Plain:
    """Descriptors that are waited for without end."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read

    def write(self, data: bytes) -> None:
        """Write all of it."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._write, left) :]

    def read(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        parts = []
        while count and (part := os.read(self._read, min(count, 1 << 20))):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class Timed:
    """Descriptors of a process that may hang: each frame has to be through before `until`."""

    def __init__(self, write: int, read: int, process: int) -> None:
        self._write, self._read = write, read
        self._process = os.pidfd_open(process)
        self.until = 0.0
        self._arrived = bytearray()
        os.set_blocking(write, False)

    def close(self) -> None:
        """Let go of the process; the descriptors are closed by whoever opened them."""
        if self._process >= 0:
            os.close(self._process)
        self._process = -1

    def _wait(self, fd: int, event: int) -> None:
        poll = select.poll()
        poll.register(fd, event)
        poll.register(self._process, select.POLLIN)
        ready = dict(poll.poll(max(0.0, self.until - time.monotonic()) * 1000))
        if not ready:
            raise LateError
        if fd not in ready:  # it is gone, whoever else holds its end of the pipe
            raise FrameError("the other side has ended")

    def write(self, data: bytes) -> None:
        """Write all of it; LateError when it is not taken in time."""
        left = memoryview(data)
        while left:
            self._wait(self._write, select.POLLOUT)
            left = left[os.write(self._write, left) :]

    def read(self, count: int) -> bytes:
        """Read so many bytes, fewer at the end; LateError when they do not come in time."""
        while len(self._arrived) < count:
            self._wait(self._read, select.POLLIN)
            part = os.read(self._read, 1 << 20)
            if not part:
                break
            self._arrived += part
        found = bytes(self._arrived[:count])
        del self._arrived[:count]
        return found


def send(ends: Ends, header: dict[str, Any], body: bytes = b"") -> None:
    """Write a frame."""
    words = json.dumps(header).encode()
    ends.write(_LENGTHS.pack(len(words), len(body)) + words + body)


def receive(ends: Ends) -> tuple[dict[str, Any], bytes]:
    """Read a frame."""
    words, body = _LENGTHS.unpack(_exactly(ends, _LENGTHS.size))
    if words > LONGEST or body > LONGEST:
        raise FrameError("a frame is too long")
    try:
        header = json.loads(_exactly(ends, words))
    except (ValueError, RecursionError):
        raise FrameError("a frame has no header") from None
    if not isinstance(header, dict):
        raise FrameError("a frame has no header")
    return header, _exactly(ends, body)


def _exactly(ends: Ends, count: int) -> bytes:
    found = ends.read(count)
    if len(found) < count:
        raise FrameError("the other side has ended")
    return found
