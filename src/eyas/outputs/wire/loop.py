"""Clients that only speak asyncio, used from a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop of one thread."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T], patience: float) -> T:
        """Do it, but not longer than `patience` seconds."""

        async def bounded() -> T:
            return await asyncio.wait_for(work, patience)

        return self.runner.run(bounded())

    def close(self) -> None:
        """End what still runs."""
        self.runner.close()
