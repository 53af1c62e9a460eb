"""One file of lines, read from where it was left: whole lines only, truncated and over-long ones survived."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eyas.transports.unpack import MAGIC

CHUNK = 1 << 20
HEAD = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and where they ended."""

    data: bytes
    start: int
    end: int


@dataclass(slots=True)
class Tail:
    """A file by its inode; `offset` is the end of the last line that was handed on."""

    path: Path
    inode: str
    offset: int = 0
    head: str = ""
    size: int = -1
    packed: bool = False
    too_long: int = 0
    _skipping: bool = field(default=False)

    @classmethod
    def of(cls, path: Path, state: dict[str, object] | None = None) -> Tail:
        """Start on a file, or go on with it."""
        stat = path.stat()
        with path.open("rb") as file:
            packed = file.read(2) == MAGIC
        tail = cls(path, inode_of(stat), packed=packed)
        if state is not None:
            tail.offset, tail.head = int(str(state["offset"])), str(state["head"])
        return tail

    def state(self) -> dict[str, object]:
        """What to store."""
        return {"path": str(self.path), "offset": self.offset, "head": self.head}

    def is_quiet(self) -> bool:
        """Whether nothing was added since the last look."""
        try:
            return self.path.stat().st_size == self.size
        except OSError:
            return True

    def pieces(self, limit: int, *, final: bool) -> Iterator[Piece]:
        """Lines that are there by now. With `final`, the last one needs no end."""
        size = self.path.stat().st_size
        if self.packed:
            if size != self.size:
                self.size = size
                yield from self._unpacked(limit)
            return
        if size == self.size and not final:
            return
        self.size = size
        with self.path.open("rb") as file:
            if size < self.offset or not self._same_head(file.fileno()):
                self.offset, self._skipping = 0, False
            while (piece := self._piece(file.fileno(), limit, final)) is not None:
                if piece.data:
                    yield piece

    def _same_head(self, number: int) -> bool:
        return not self.head or self.head == _head(os.pread(number, min(HEAD, self.offset), 0))

    def _piece(self, number: int, limit: int, final: bool) -> Piece | None:
        data = os.pread(number, CHUNK, self.offset)
        start = self.offset
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) == CHUNK and not self._skipping:
            data = os.pread(number, limit + 1, self.offset)
            cut = data.rfind(b"\n") + 1
            if not cut and len(data) > limit:
                self._skipping = True
                self.too_long += 1
        if self._skipping:
            return self._skip(data, start)
        if not cut and final:
            cut = len(data)
        if not cut:
            return None
        self.offset += cut
        if not self.head or start < HEAD:
            self.head = _head(os.pread(number, min(HEAD, self.offset), 0))
        return Piece(data[:cut], start, self.offset)

    def _skip(self, data: bytes, start: int) -> Piece | None:
        if not data:
            return None
        end = data.find(b"\n") + 1
        self._skipping = not end
        self.offset += end or len(data)
        return Piece(b"", start, self.offset)

    def _unpacked(self, limit: int) -> Iterator[Piece]:
        """Lines of a compressed file; what was handed on before is skipped."""
        rest, at = b"", 0
        for data in gzip_chunks(self.path):
            rest += data
            cut = rest.rfind(b"\n") + 1
            if len(rest) > limit and not cut:
                self.too_long += 1
                at, rest = at + len(rest), b""
            piece = Piece(rest[:cut], at, at + cut)
            at, rest = at + cut, rest[cut:]
            if piece.end > self.offset and piece.data:
                yield self._passed(piece)
        if rest and at + len(rest) > self.offset:
            yield self._passed(Piece(rest, at, at + len(rest)))

    def _passed(self, piece: Piece) -> Piece:
        piece = Piece(piece.data[max(0, self.offset - piece.start) :], piece.start, piece.end)
        self.offset = piece.end
        return piece


def inode_of(stat: os.stat_result) -> str:
    """What a file stays recognisable by when it is renamed."""
    return f"{stat.st_dev}:{stat.st_ino}"


def head_of(path: Path, size: int) -> str:
    """Digest of the first bytes of a file, unpacked when it is compressed."""
    with path.open("rb") as file:
        data = file.read(size)
    if data.startswith(MAGIC):
        data = next(gzip_chunks(path), b"")[:size]
    return _head(data)


def gzip_chunks(path: Path) -> Iterator[bytes]:
    """Contents of a compressed file, a chunk at a time; a broken end is left out."""
    opener = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        while data := file.read(CHUNK // 8):
            while data:
                try:
                    part = opener.decompress(data, CHUNK)
                except zlib.error:
                    return
                yield part
                if opener.eof:
                    data = opener.unused_data
                    opener = zlib.decompressobj(wbits=31)
                else:
                    data = opener.unconsumed_tail


def _head(data: bytes) -> str:
    return f"{len(data)}:{hashlib.blake2b(data, digest_size=8).hexdigest()}"
