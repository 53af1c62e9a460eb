"""Finds containers: on the disks of their runtimes, in what was seen before, in the logs of what is gone."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from eyas.containers.container import Container, Runtime
from eyas.containers.start import Start

# Containers that are remembered.
REMEMBERED = 4096

# Label with the uid of the pod.
POD = "io.kubernetes.pod.uid"

T = TypeVar("T")

_UNIQUE = re.compile(r"[0-9a-f]{64}")


class Finder:
    """Looks in one place after the other; remembers what it found. Used by several threads."""

    def __init__(self, runtimes: Sequence[Runtime], host: Path) -> None:
        self._runtimes = runtimes
        self._host = host
        self._known: dict[str, Container] = {}
        self._starts: dict[str, Start] = {}
        self._lock = threading.Lock()

    def expect(self, start: Start) -> None:
        """Remember what the command line of a runtime said."""
        _put(self._starts, start.full_id, start)

    def remember(self, container: Container) -> None:
        """Remember what a socket said, which is more than lies on disk."""
        with self._lock:
            _put(self._known, container.id, container)

    def find(self, full_id: str) -> Container | None:
        """What is known of a container, be it there or gone."""
        known = self._recall(full_id)
        # An id of this form is never given twice; the name that somebody gave may be.
        if known is not None and known.privileged is not None and _UNIQUE.fullmatch(full_id):
            return known
        found = self._on_disk(full_id) or known or self._in_logs(full_id)
        if found is not None:
            self.remember(found)
        return found

    def of_pod(self, uid: str) -> list[Container]:
        """Containers of a pod that were found."""
        with self._lock:
            known = list(self._known.values())
        return [one for one in known if one.labels.get(POD) == uid]

    def named(self, full_id: str) -> Container | None:
        """What the command line that started it said; for one that nothing is left of."""
        start = self._starts.get(full_id)
        return start.container() if start else None

    def asked(self, full_id: str) -> Container | None:
        """What a socket says."""
        asking = ((one.ask, socket) for one in self._runtimes for socket in one.listening(self._host))
        said = (ask(socket, full_id) for ask, socket in asking if ask is not None)
        return next((one for one in said if one is not None), None)

    def _recall(self, full_id: str) -> Container | None:
        with self._lock:
            return self._known.get(full_id)

    def _on_disk(self, full_id: str) -> Container | None:
        found = (runtime.find(self._host, full_id) for runtime in self._runtimes)
        return next((one for one in found if one is not None), None)

    def _in_logs(self, full_id: str) -> Container | None:
        found = (runtime.recall(self._host, full_id) for runtime in self._runtimes if runtime.recall)
        return next((one for one in found if one is not None), None)


def _put(known: dict[str, T], key: str, value: T) -> None:
    """Enter a value as the newest; the oldest is dropped when there are too many."""
    known.pop(key, None)
    known[key] = value
    while len(known) > REMEMBERED:
        known.pop(next(iter(known)))
