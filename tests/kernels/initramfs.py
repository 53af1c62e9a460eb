"""Archives that a kernel unpacks as its first file system (cpio, format newc)."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LIBRARY = re.compile(r"(/\S+) \(0x")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or device of an archive."""

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def folder(name: str) -> Entry:
    """An empty folder."""
    return Entry(name, stat.S_IFDIR | 0o755)


def program(path: Path, name: str) -> Iterator[Entry]:
    """A program with the libraries it is linked to, these at the same place as here."""
    yield Entry(name, stat.S_IFREG | 0o755, path.read_bytes())
    linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for library in _LIBRARY.findall(linked):
        yield Entry(library.lstrip("/"), stat.S_IFREG | 0o755, Path(library).read_bytes())


def archive(entries: Iterable[Entry]) -> bytes:
    """The archive; folders of files are made as needed."""
    known: dict[str, Entry] = {}
    for entry in entries:
        for parent in reversed(Path(entry.name).parents):
            if str(parent) != ".":
                known.setdefault(str(parent), folder(str(parent)))
        known[entry.name] = entry
    parts = [_member(number, entry) for number, entry in enumerate([*known.values(), Entry("TRAILER!!!", 0)])]
    return b"".join(parts)


def _member(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    numbers = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, *entry.device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % value for value in numbers) + name
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
