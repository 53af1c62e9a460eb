"""Subjects of NATS: a durable JetStream consumer, each message acknowledged when it is safe."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eyas.errors import PassingError, RunError, UsageError
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.secret import Secret

POLL = 0.2
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which server and subject."""

    servers: Annotated[tuple[str, ...], "Addresses, nats://HOST:PORT."]
    subject: Annotated[str, "Subject to read."]
    stream: Annotated[str, "Stream that holds it; found by the subject otherwise."] = ""
    durable: Annotated[str, "Name of the durable consumer."] = "eyas"
    token: Annotated[Secret | None, "Token."] = None
    credentials: Annotated[Path | None, "Credentials file."] = None


async def _connect(settings: Settings) -> Any:
    try:
        import nats
    except ImportError:
        raise UsageError("nats-py is not installed", "pip install 'eyas[nats]'") from None
    options: dict[str, Any] = {
        "servers": list(settings.servers),
        "max_reconnect_attempts": -1,
        "connect_timeout": 5,
    }
    if settings.token:
        options["token"] = settings.token.reveal()
    if settings.credentials:
        options["user_credentials"] = str(settings.credentials)
    try:
        return await asyncio.wait_for(nats.connect(**options, allow_reconnect=True), 10)
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise PassingError(f"nats: {str(error) or type(error).__name__}") from None


def probe(settings: Settings) -> str:
    """Find the stream."""

    async def look() -> str:
        client = await _connect(settings)
        try:
            return settings.stream or str(
                await client.jetstream().find_stream_name_by_subject(settings.subject)
            )
        finally:
            await client.close()

    try:
        return f"subject {settings.subject} is in stream {asyncio.run(look())}"
    except PassingError:
        raise
    except Exception as error:
        raise RunError(f"nats: no stream holds {settings.subject}: {error}") from None


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message."""
    arrived: queue.Queue[Parcel | BaseException] = queue.Queue(BATCH * 2)
    thread = threading.Thread(target=_run, args=(settings, link, arrived), name="nats", daemon=True)
    link.status.where = f"{settings.servers[0]} {settings.subject}"
    thread.start()
    while not link.stop.is_set():
        try:
            got = arrived.get(timeout=POLL)
        except queue.Empty:
            continue
        if isinstance(got, BaseException):
            raise got
        yield got
    thread.join(10)


def _run(settings: Settings, link: Link, arrived: queue.Queue[Parcel | BaseException]) -> None:
    try:
        asyncio.run(_read(settings, link, arrived))
    except BaseException as error:
        arrived.put(error if isinstance(error, RunError | UsageError) else PassingError(f"nats: {error}"))


async def _read(settings: Settings, link: Link, arrived: queue.Queue[Parcel | BaseException]) -> None:
    import nats

    client = await _connect(settings)
    loop = asyncio.get_running_loop()
    stream = settings.stream or None
    subscription = await client.jetstream().pull_subscribe(settings.subject, settings.durable, stream)
    link.status.turn("running")
    try:
        while not link.stop.is_set():
            try:
                messages = await subscription.fetch(BATCH, timeout=POLL)
            except (TimeoutError, nats.errors.TimeoutError):
                continue
            for message in messages:
                parcel = _parcel(message, loop)
                while not link.stop.is_set() and not _put(arrived, parcel):
                    await asyncio.sleep(0.05)
    finally:
        with contextlib.suppress(Exception):  # a server that is gone needs no farewell
            await client.flush(2)
        await client.close()


def _put(arrived: queue.Queue[Parcel | BaseException], parcel: Parcel) -> bool:
    try:
        arrived.put_nowait(parcel)
    except queue.Full:
        return False
    return True


def _parcel(message: Any, loop: asyncio.AbstractEventLoop) -> Parcel:
    def settle(outcome: Outcome) -> None:
        answer = {Outcome.SAFE: message.ack, Outcome.REFUSED: message.term, Outcome.AGAIN: message.nak}[
            outcome
        ]
        if not loop.is_closed():
            asyncio.run_coroutine_threadsafe(answer(), loop)

    meta = message.metadata
    return Parcel(message.data, f"{meta.stream}@{meta.sequence.stream}", settle=settle)
