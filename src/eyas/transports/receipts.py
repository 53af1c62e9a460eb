"""Receipts for what is safe: gathered, and given to the service in batches from a thread of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from eyas.errors import EyasError
from eyas.transports.parcel import Link

POLL = 0.2


class Receipts:
    """Gives receipts until closed. One that cannot be given is no loss: what it was for comes again, and is known."""

    def __init__(self, give: Callable[[Sequence[str]], None], most: int, link: Link) -> None:
        self._give, self._most, self._link = give, most, link
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def add(self, receipt: str) -> None:
        """Give a receipt soon."""
        self._waiting.put(receipt)

    def close(self) -> None:
        """Give what is left."""
        self._closing.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not (self._closing.is_set() and self._waiting.empty()):
            if batch := self._batch():
                try:
                    self._give(batch)
                except EyasError as error:
                    self._link.status.retries += 1
                    self._link.status.turn("waiting", f"receipts: {error}")

    def _batch(self) -> list[str]:
        batch: list[str] = []
        try:
            batch.append(self._waiting.get(timeout=POLL))
            while len(batch) < self._most:
                batch.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return batch
