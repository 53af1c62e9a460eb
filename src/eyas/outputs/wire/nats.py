"""A connection to NATS, with or without JetStream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from eyas.delivery import Answer, Request, delivered, refused, retry
from eyas.delivery.http import context
from eyas.outputs.card import library
from eyas.outputs.wire.loop import Loop
from eyas.outputs.wire.sockets import PATIENCE


class Link:
    """Publishes; without JetStream a flush tells that the server has read all, with it each message is acknowledged."""

    def __init__(self, settings: Any, jetstream: bool) -> None:
        self.nats = library("nats", "nats")
        self.settings, self.jetstream = settings, jetstream
        self.loop = Loop()
        self.client: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All messages."""
        try:
            return self.loop.run(self._publish(batch), PATIENCE * 2)
        except (self.nats.errors.Error, OSError, TimeoutError, ValueError) as error:
            self._drop()
            return [retry(f"NATS: {error or type(error).__name__}") for _ in batch]

    def close(self) -> None:
        """Hang up."""
        self._drop()
        self.loop.close()

    async def _publish(self, batch: Sequence[Request]) -> list[Answer]:
        if self.client is None or not self.client.is_connected:
            self.client = await self._connect()
        if self.jetstream:
            stream = self.client.jetstream(timeout=PATIENCE)
            sent = [stream.publish(r.headers["subject"], r.body, headers=_head(r)) for r in batch]
            replies = await asyncio.gather(*sent, return_exceptions=True)
            return [self._judged(reply) for reply in replies]
        answers = [await self._told(request) for request in batch]
        await self.client.flush(PATIENCE)
        return answers

    async def _told(self, request: Request) -> Answer:
        try:
            await self.client.publish(request.headers["subject"], request.body)
        except self.nats.errors.MaxPayloadError as error:
            return self._judged(error)
        return delivered()

    def _judged(self, reply: object) -> Answer:
        """A message that is too long for the server stays too long; it must not hold up those behind it."""
        if isinstance(reply, self.nats.errors.MaxPayloadError):
            return refused(f"NATS: {reply}")
        return retry(f"JetStream: {reply}") if isinstance(reply, BaseException) else delivered()

    async def _connect(self) -> Any:
        servers = [one.strip() for one in self.settings.hostport.split(",")]
        secure = self.settings.mutualtls or any(one.startswith("tls://") for one in servers)
        return await self.nats.connect(
            servers,
            connect_timeout=PATIENCE,
            allow_reconnect=False,
            error_cb=_quiet,
            tls=context(self.settings.trust) if secure else None,
        )

    def _drop(self) -> None:
        if self.client is not None:
            with contextlib.suppress(Exception):
                self.loop.run(self.client.close(), PATIENCE)
            self.client = None


def _head(request: Request) -> dict[str, str]:
    return {"Nats-Msg-Id": request.headers["id"]}


async def _quiet(_error: Exception) -> None:
    """The call that failed tells; the library need not print it too."""
