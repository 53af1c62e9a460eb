"""RabbitMQ: the alert to a queue, confirmed by the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, retry
from eyas.delivery.http import context
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal
from eyas.outputs.card import WHOLE, Output, Settings, library
from eyas.outputs.wire.loop import Loop
from eyas.outputs.wire.sockets import PATIENCE


class RabbitmqSettings(Settings):
    """Keys below `rabbitmq`."""

    needs = ("url", "queue")
    url: SecretStr
    queue: str
    checkcert: bool = True
    mutualtls: bool = False


def request(alert: Alert, settings: RabbitmqSettings) -> Request:
    """One message through the default exchange."""
    where = urlsplit(reveal(settings.url))
    host = where.hostname or "localhost"
    head = {
        "routing-key": settings.queue,
        "message-id": event.identity(alert),
        "content-type": "application/json",
    }
    return Request("PUBLISH", f"{where.scheme}://{host}:{where.port or 5672}", head, event.event_json(alert))


class Link:
    """A channel with confirms."""

    def __init__(self, settings: RabbitmqSettings) -> None:
        self.pika = library("aio_pika", "amqp")
        self.settings = settings
        self.loop = Loop()
        self.link: Any = None
        self.channel: Any = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All messages; the broker confirms each."""
        try:
            return self.loop.run(self._publish(batch), PATIENCE * 2)
        except (self.pika.exceptions.AMQPError, OSError, TimeoutError, RuntimeError) as error:
            self._drop()
            return [retry(f"RabbitMQ: {error or type(error).__name__}") for _ in batch]

    def close(self) -> None:
        """Hang up."""
        self._drop()
        self.loop.close()

    async def _publish(self, batch: Sequence[Request]) -> list[Answer]:
        if self.channel is None or self.channel.is_closed:
            await self._connect()
        sent = [self._one(request) for request in batch]
        replies = await asyncio.gather(*sent, return_exceptions=True)
        return [retry(f"RabbitMQ: {r}") if isinstance(r, BaseException) else delivered() for r in replies]

    async def _one(self, request: Request) -> None:
        message = self.pika.Message(
            request.body,
            content_type=request.headers["content-type"],
            message_id=request.headers["message-id"],
            delivery_mode=self.pika.DeliveryMode.PERSISTENT,
        )
        # Mandatory: a queue that does not exist is an error, not silence.
        await self.channel.default_exchange.publish(message, request.headers["routing-key"], mandatory=True)

    async def _connect(self) -> None:
        url = reveal(self.settings.url)
        tls = {"ssl_context": context(self.settings.trust)} if url.startswith("amqps:") else {}
        self.link = await self.pika.connect(url, timeout=PATIENCE, **tls)
        self.channel = await self.link.channel(publisher_confirms=True, on_return_raises=True)

    def _drop(self) -> None:
        if self.link is not None:
            with contextlib.suppress(Exception):
                self.loop.run(self.link.close(), PATIENCE)
        self.link = self.channel = None


def open_link(settings: RabbitmqSettings) -> Sender:
    """A channel."""
    return Link(settings)


OUTPUT = Output(
    "rabbitmq",
    "RabbitMQ: the alert to a queue",
    RabbitmqSettings,
    request,
    open=open_link,
    batch=200,
    libraries={"aio_pika": "amqp"},
    largest=WHOLE,
)
