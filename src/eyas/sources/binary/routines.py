"""Background tasks of a plugin: each runs in a thread of its own, again and again until it says that it is done."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from eyas.sources.binary import abi

MOST = 64


class Routines:
    """The tasks of one plugin. `state` gives the plugin's own state, which each of them is called with."""

    def __init__(self, state: Callable[[], int | None]) -> None:
        self._state = state
        self._numbers = itertools.count(1)
        self._ended: dict[int, threading.Event] = {}
        self._threads: dict[int, threading.Thread] = {}
        self.given = abi.Routines(abi.Subscribe(self._subscribe), abi.Unsubscribe(self._unsubscribe))

    def _subscribe(self, _owner: int | None, task: Any, inside: int | None) -> int | None:
        if not task or len(self._ended) >= MOST:
            return None
        number = next(self._numbers)
        ended = self._ended[number] = threading.Event()
        self._threads[number] = threading.Thread(
            target=self._run, args=(number, ended, task, inside), daemon=True
        )
        self._threads[number].start()
        return number

    def _run(self, number: int, ended: threading.Event, task: Any, inside: int | None) -> None:
        while not ended.is_set() and task(self._state(), inside):
            pass
        self._ended.pop(number, None)
        self._threads.pop(number, None)

    def _unsubscribe(self, _owner: int | None, number: int | None) -> int:
        ended = self._ended.get(number or 0)
        if ended is None:
            return abi.FAILURE
        ended.set()
        return abi.SUCCESS

    def end(self) -> None:
        """End all of them; the plugin's state must outlive their last turn."""
        threads = list(self._threads.values())
        for ended in list(self._ended.values()):
            ended.set()
        for thread in threads:
            thread.join()
