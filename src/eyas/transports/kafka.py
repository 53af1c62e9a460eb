"""Topics of Kafka, and of what speaks its protocol, such as Azure Event Hubs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eyas.errors import PassingError, RunError, UsageError
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.secret import Secret

POLL = 0.2
BATCH = 500
TIMEOUT = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which brokers and topics."""

    brokers: Annotated[tuple[str, ...], "Addresses of brokers, HOST:PORT."]
    topics: Annotated[tuple[str, ...], "Topics to read."]
    group: Annotated[str, "Consumer group."] = "eyas"
    session: Annotated[
        float,
        "Seconds after which the brokers give the partitions of a member that was killed to its successor.",
    ] = 10.0
    username: Annotated[str, "User, for SASL."] = ""
    password: Annotated[Secret | None, "Password, for SASL."] = None
    mechanism: Annotated[str, "SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512."] = "PLAIN"
    tls: Annotated[bool, "Encrypt the connection."] = False
    ca: Annotated[Path | None, "File with the authority of the brokers' certificates."] = None
    certificate: Annotated[Path | None, "File with the client's certificate."] = None
    key: Annotated[Path | None, "File with its private key."] = None


def consumer(settings: Settings, told: Callable[[Any], None]) -> Any:
    """A consumer that stores nothing at the brokers by itself. What goes wrong beside messages is `told`."""
    try:
        import confluent_kafka
    except ImportError:
        raise UsageError("confluent-kafka is not installed", "pip install 'eyas[kafka]'") from None
    config: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.brokers),
        "group.id": settings.group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": int(settings.session * 1000),
        "heartbeat.interval.ms": int(settings.session * 300),
        "security.protocol": ("SASL_" if settings.username else "")
        + ("SSL" if settings.tls else "PLAINTEXT"),
        "log_level": 0,
        "error_cb": told,
    }
    if settings.username:
        config |= {"sasl.username": settings.username, "sasl.mechanism": settings.mechanism}
        config["sasl.password"] = settings.password.reveal() if settings.password else ""
    files = {"ssl.ca.location": settings.ca, "ssl.certificate.location": settings.certificate}
    config |= {name: str(path) for name, path in {**files, "ssl.key.location": settings.key}.items() if path}
    try:
        return confluent_kafka.Consumer(config)
    except confluent_kafka.KafkaException as error:
        raise UsageError(f"kafka: {error}") from None


def probe(settings: Settings) -> str:
    """Ask the brokers for the topics."""
    import confluent_kafka

    faults: list[Any] = []
    client = consumer(settings, faults.append)
    try:
        known = client.list_topics(timeout=10).topics
    except confluent_kafka.KafkaException as error:
        client.poll(0)  # what the brokers said comes with it
        raise RunError(f"kafka: {faults[0].str() if faults else error}") from None
    finally:
        client.close()
    missing = [topic for topic in settings.topics if topic not in known]
    if missing:
        raise RunError(f"kafka: there is no topic '{missing[0]}'")
    return f"{len(settings.topics)} topics are there"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message, from where the last run stopped: here, or where another member of the group has got to."""
    import confluent_kafka

    places = Places(dict(link.mark or {}))
    client = consumer(settings, lambda error: _note(error, link))
    link.status.where = ",".join(settings.brokers)
    try:
        client.subscribe(list(settings.topics), on_assign=places.assign)
        while not link.stop.is_set():
            for message in client.consume(BATCH, POLL):
                if message.error() is not None:
                    _note(message.error(), link)
                    continue
                link.status.turn("running")
                yield places.parcel(message)
            places.commit(client)
    except confluent_kafka.KafkaException as error:
        raise PassingError(f"kafka: {error}") from None
    finally:
        with contextlib.suppress(confluent_kafka.KafkaException):  # a broker that is gone needs no farewell
            places.commit(client)
        client.close()


class Places:
    """The next offset of each partition, by `topic/partition`: what was handed on, and what of it is safe."""

    def __init__(self, handed_on: dict[str, int]) -> None:
        self._handed_on = handed_on
        self._safe: dict[str, int] = {}  # written by the judge's thread
        self._told: dict[str, int] = {}

    def assign(self, client: Any, partitions: Any) -> None:
        """Go on at our own mark, or where the group is when that is further."""
        for ours, theirs in zip(partitions, client.committed(partitions, TIMEOUT), strict=True):
            known = self._handed_on.get(f"{ours.topic}/{ours.partition}", -1)
            furthest = max(known, theirs.offset)
            if furthest >= 0:
                ours.offset = furthest
        client.assign(partitions)

    def parcel(self, message: Any) -> Parcel:
        """A message, with the mark after it."""
        place, after = f"{message.topic()}/{message.partition()}", message.offset() + 1
        self._handed_on[place] = after

        def settle(outcome: Outcome) -> None:
            if outcome is not Outcome.AGAIN:
                self._safe[place] = after

        origin = f"{place}@{message.offset()}"
        return Parcel(message.value() or b"", origin, mark=dict(self._handed_on), settle=settle)

    def commit(self, client: Any) -> None:
        """Tell the brokers what is safe, for members of the group on other machines."""
        import confluent_kafka

        news = [
            (place, offset) for place, offset in list(self._safe.items()) if self._told.get(place) != offset
        ]
        if not news:
            return
        self._told |= dict(news)
        split = ((*place.rpartition("/"), offset) for place, offset in news)
        offsets = [
            confluent_kafka.TopicPartition(topic, int(number), offset) for topic, _, number, offset in split
        ]
        client.commit(offsets=offsets, asynchronous=True)


def _note(error: Any, link: Link) -> None:
    if error.fatal():
        raise RunError(f"kafka: {error.str()}")
    link.status.turn("waiting", f"kafka: {error.str()}")
