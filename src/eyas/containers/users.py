"""Users and groups of a container, from its own files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

Told = tuple[str, dict[str, str | int]]

# A file of users is small; what is longer is not read on.
MOST = 4096


def root_of(pid: int, host: Path) -> Path | None:
    """Root folder of a process, unless it is that of the host."""
    own, root = host / "proc/1/root", host / f"proc/{pid}/root"
    try:
        return None if os.path.samestat(own.stat(), root.stat()) else root
    except OSError:
        return None


def of(places: Iterable[Path], container: str) -> list[Told]:
    """Events of the first place that has users."""
    for place in places:
        if found := list(told(place, container)):
            return found
    return []


def told(root: Path, container: str) -> Iterator[Told]:
    """Events that enter the users and groups of a container."""
    for name, _, uid, gid, _, home, shell in _rows(root, "passwd", 7):
        if uid.isdecimal() and gid.isdecimal():
            user: dict[str, str | int] = {"uid": int(uid), "gid": int(gid), "name": name}
            yield "useradded", {**user, "home": home, "shell": shell, "container_id": container}
    for name, _, gid, _ in _rows(root, "group", 4):
        if gid.isdecimal():
            yield "groupadded", {"gid": int(gid), "name": name, "container_id": container}


def _rows(root: Path, name: str, columns: int) -> Iterator[list[str]]:
    """Lines of so many columns."""
    for line in _lines(root, name):
        row = line.rstrip("\n").split(":")
        if len(row) == columns:
            yield row


def _lines(root: Path, name: str) -> list[str]:
    """Lines of a file in `etc`. No link is followed: it would lead to a file of the host."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        folder = os.open(root / "etc", flags | os.O_DIRECTORY)
    except OSError:
        return []
    try:
        with os.fdopen(os.open(name, flags, dir_fd=folder), errors="replace") as file:
            return list(itertools.islice(file, MOST))
    except OSError:
        return []
    finally:
        os.close(folder)
