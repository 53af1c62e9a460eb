"""Files and folders, read once or followed: rotation, truncation, half-written lines and gzip are survived."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eyas.errors import RunError
from eyas.transports.parcel import Link, Parcel
from eyas.transports.tail import Tail, head_of, inode_of
from eyas.transports.unpack import MAGIC, TooLargeError, gunzip

PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to read."""

    path: Annotated[Path, "File, folder or pattern."]
    follow: Annotated[bool, "Wait for more at the end."] = True
    interval: Annotated[float, "Seconds between two looks."] = 0.5
    max_line: Annotated[int, "Longest line in bytes."] = 4 << 20
    max_body: Annotated[int, "Largest document in bytes, unpacked."] = 64 << 20


def probe(settings: Settings) -> str:
    """Check that there is something to read."""
    found = _found(settings.path)
    unreadable = [path for path in found if not os.access(path, os.R_OK)]
    if unreadable:
        raise RunError(f"{unreadable[0]}: not readable")
    if not found and not settings.follow:
        raise RunError(f"{settings.path}: nothing is there")
    return f"{len(found)} files are readable below {settings.path}"


def lines(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Files of lines."""
    link.status.where = str(settings.path)
    shelf = Shelf(settings, link)
    while True:
        yield from shelf.look()
        if not settings.follow or link.wait(settings.interval):
            return


def documents(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Files that are one document each. A file is read when it has stopped growing."""
    link.status.where = str(settings.path)
    sizes: dict[Path, tuple[int, int]] = {}
    while True:
        for path in _found(settings.path):
            yield from _document(path, settings, link, sizes)
        if not settings.follow or link.wait(settings.interval):
            return


def _document(
    path: Path, settings: Settings, link: Link, sizes: dict[Path, tuple[int, int]]
) -> Iterator[Parcel]:
    try:
        stat = path.stat()
        now = (stat.st_size, stat.st_mtime_ns)
        before, sizes[path] = sizes.get(path), now
        key = f"{path}:{inode_of(stat)}:{now}"
        if (settings.follow and before != now) or link.seen(key):
            return
        body = _opened(path.read_bytes(), settings.max_body)
    except TooLargeError as error:
        link.status.refuse("too large", str(path), str(error))
        return
    except (OSError, ValueError) as error:
        link.status.refuse("unreadable", str(path), str(error))
        return
    yield Parcel(body, str(path), key=key)


def _opened(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise TooLargeError(f"more than {limit} bytes")
    return gunzip(data, limit) if data.startswith(MAGIC) else data


def _found(path: Path) -> list[Path]:
    if PATTERN.search(str(path)):
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207 the pattern may be absolute
    elif path.is_dir():
        found = [p for p in path.rglob("*") if not p.name.startswith(".")]
    else:
        found = [path]
    return sorted(p for p in found if p.is_file())


class Shelf:
    """The files of lines that one feed reads, known by their inodes."""

    def __init__(self, settings: Settings, link: Link) -> None:
        self._settings = settings
        self._link = link
        if link.mark is None:
            link.mark = {"since": time.time_ns(), "files": {}}
            link.begin(link.mark)
        mark: dict[str, Any] = link.mark
        self._since: int = mark["since"]
        self._left: dict[str, dict[str, Any]] = dict(mark["files"])
        self._tails: dict[str, Tail] = {}
        self._done: dict[str, dict[str, Any]] = {}

    def look(self) -> Iterator[Parcel]:
        """Everything that is there by now, oldest file first."""
        present = self._present()
        self._take_up(present)
        for inode, tail in sorted(self._tails.items(), key=lambda item: _age(present, item[0])):
            if inode in present:
                tail.path = present[inode]
            rotated = self._is_rotated(tail.path) and tail.is_quiet()
            yield from self._pieces(tail, final=rotated or not self._settings.follow)
            if inode not in present:
                self._done.pop(inode, None)
                del self._tails[inode]

    def _present(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in self._candidates():
            try:
                found[inode_of(path.stat())] = path
            except OSError:
                continue
        return found

    def _candidates(self) -> list[Path]:
        path = self._settings.path
        if path.is_dir() or PATTERN.search(str(path)):
            return _found(path)
        return [*self._rotated(path), *([path] if path.is_file() else [])]

    def _rotated(self, path: Path) -> list[Path]:
        """Earlier files of a rotated log that belong to what was begun."""
        stem = path.name.removesuffix(path.suffix)
        near = [p for p in path.parent.glob(glob.escape(stem) + "*") if p != path and p.is_file()]
        return [p for p in near if self._belongs(p)]

    def _belongs(self, path: Path) -> bool:
        try:
            stat = path.stat()
        except OSError:
            return False
        inode = inode_of(stat)
        if inode in self._left or inode in self._tails:
            return True
        if path.suffix != ".gz":
            return stat.st_mtime_ns >= self._since and _is_earlier(path, self._settings.path)
        return any(self._continues(path, state) for state in self._left.values())

    def _continues(self, path: Path, state: dict[str, Any]) -> bool:
        head = str(state["head"])
        return bool(head) and head_of(path, int(head.partition(":")[0])) == head

    def _is_rotated(self, path: Path) -> bool:
        whole = self._settings.path
        return not whole.is_dir() and not PATTERN.search(str(whole)) and path != whole

    def _take_up(self, present: dict[str, Path]) -> None:
        for inode, path in present.items():
            if inode in self._tails:
                continue
            try:
                tail = self._tails[inode] = Tail.of(path, self._state(inode, path))
                self._done[inode] = tail.state()
            except OSError as error:
                self._link.status.refuse("unreadable", str(path), error.strerror or str(error))

    def _state(self, inode: str, path: Path) -> dict[str, Any] | None:
        """Where a file was left: by its inode, or compressed under a new one."""
        state = self._left.pop(inode, None)
        if state is None and path.suffix == ".gz":
            for old, left in list(self._left.items()):
                if self._continues(path, left):
                    return self._left.pop(old)
        return state

    def _pieces(self, tail: Tail, *, final: bool) -> Iterator[Parcel]:
        try:
            for piece in tail.pieces(self._settings.max_line, final=final):
                self._done[tail.inode] = tail.state()
                yield Parcel(piece.data, f"{tail.path}:{piece.start}", mark=self._mark())
        except OSError as error:
            self._link.status.refuse("unreadable", str(tail.path), error.strerror or str(error))
        if tail.too_long:
            self._link.status.refuse("line too long", f"{tail.path}:{tail.offset}")
            tail.too_long = 0

    def _mark(self) -> dict[str, Any]:
        return {"since": self._since, "files": {**self._left, **self._done}}


def _is_earlier(path: Path, current: Path) -> bool:
    """Whether a name is the log's with something before or after its suffix, as rotation makes them."""
    return path.name.startswith(current.name) or path.suffix == current.suffix


def _age(present: dict[str, Path], inode: str) -> tuple[int, str]:
    try:
        return present[inode].stat().st_mtime_ns, str(present[inode])
    except (KeyError, OSError):
        return 0, ""
