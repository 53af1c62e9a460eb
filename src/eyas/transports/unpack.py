"""Compressed bytes, opened with a limit: a small file that grows without end is refused."""

from __future__ import annotations

import zlib

MAGIC = b"\x1f\x8b"


class TooLargeError(ValueError):
    """More bytes than the limit."""


def gunzip(data: bytes, limit: int) -> bytes:
    """Open gzip, several members too; ValueError when it is broken or cut off."""
    parts: list[bytes] = []
    left = limit
    while data:
        opener = zlib.decompressobj(wbits=31)
        try:
            part = opener.decompress(data, left + 1)
        except zlib.error as error:
            raise ValueError(f"not gzip: {error}") from None
        left -= len(part)
        if left < 0:
            raise TooLargeError(f"more than {limit} bytes when unpacked")
        if not opener.eof:
            raise ValueError("gzip ends too early")
        parts.append(part)
        data = opener.unused_data.lstrip(b"\0")
    return b"".join(parts)


def opened(data: bytes, limit: int) -> bytes:
    """Open gzip by its first bytes; other data stays as it is."""
    if data.startswith(MAGIC):
        return gunzip(data, limit)
    if len(data) > limit:
        raise TooLargeError(f"more than {limit} bytes")
    return data
