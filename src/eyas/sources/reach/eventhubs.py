"""Azure Event Hubs, through its Kafka interface: diagnostic settings of Azure send their records there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from eyas.errors import UsageError
from eyas.transports import kafka
from eyas.transports.parcel import Link, Parcel
from eyas.transports.secret import Secret

_NAMESPACE = re.compile(r"Endpoint=sb://([^/;]+)/?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which event hub."""

    connection: Annotated[Secret, "Connection string of the namespace, with the right to listen."]
    hub: Annotated[str, "Name of the event hub."]
    group: Annotated[str, "Consumer group."] = "$Default"
    ca: Annotated[
        Path | None, "File with the authority of the namespace's certificate, if it is one of yours."
    ] = None


def broker(settings: Settings) -> kafka.Settings:
    """The event hub as a Kafka topic; https://learn.microsoft.com/azure/event-hubs/azure-event-hubs-kafka-overview."""
    found = _NAMESPACE.search(settings.connection.reveal())
    if found is None:
        raise UsageError("connection is not a connection string", "it begins with Endpoint=sb://")
    return kafka.Settings(
        brokers=(found[1] if ":" in found[1] else f"{found[1]}:9093",),
        topics=(settings.hub,),
        group=settings.group,
        username="$ConnectionString",
        password=settings.connection,
        tls=True,
        ca=settings.ca,
    )


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message."""
    return kafka.parcels(broker(settings), link)


def probe(settings: Settings) -> str:
    """Find the event hub."""
    return kafka.probe(broker(settings))
