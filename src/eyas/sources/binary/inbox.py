"""Events that plugins send from threads of their own: checked, and kept until the next batch is asked for."""

from __future__ import annotations

import threading

from eyas.sources.binary import abi, layout
from eyas.sources.binary.library import Library

MOST, MOST_BYTES = 1 << 16, 64 << 20


class Waiting:
    """Events that wait, as many as memory allows; those beyond are counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[bytes] = []
        self._size = self._lost = 0

    def put(self, event: bytes) -> bool:
        """Keep an event; false when there is no room."""
        with self._lock:
            if len(self._events) >= MOST or self._size + len(event) > MOST_BYTES:
                self._lost += 1
                return False
            self._events.append(event)
            self._size += len(event)
            return True

    def take(self) -> list[bytes]:
        """All that wait."""
        with self._lock:
            found, self._events, self._size = self._events, [], 0
            return found

    def lost(self) -> int:
        """How many found no room since this was asked last."""
        with self._lock:
            lost, self._lost = self._lost, 0
            return lost


class Inbox:
    """Where one plugin sends its events."""

    def __init__(self, library: Library, waiting: Waiting) -> None:
        self._library, self._waiting = library, waiting

    def __call__(self, at: int) -> str | None:
        """Take an event; what is wrong with it is told to the plugin."""
        try:
            event = layout.taken(at, abi.ASYNC_EVENT, self._library.number)
        except layout.OddError as error:
            return str(error)
        if layout.name(event) not in self._library.asynchronous:
            return f"'{layout.name(event)}' is none of the events that the plugin announces"
        return None if self._waiting.put(event) else "too many events wait"
