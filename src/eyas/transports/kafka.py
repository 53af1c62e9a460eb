"""Topics of Kafka, and of what speaks its protocol, such as Azure Event Hubs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from eyas.errors import PassingError, RunError, UsageError
from eyas.transports.parcel import Link, Parcel
from eyas.transports.secret import Secret

POLL = 0.2
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which brokers and topics."""

    brokers: Annotated[tuple[str, ...], "Addresses of brokers, HOST:PORT."]
    topics: Annotated[tuple[str, ...], "Topics to read."]
    group: Annotated[str, "Consumer group."] = "eyas"
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
    """Every message, from where the last run stopped. Marks are kept here, one offset for each partition."""
    import confluent_kafka

    offsets: dict[str, int] = dict(link.mark or {})

    def assign(client: Any, partitions: Any) -> None:
        for one in partitions:
            one.offset = offsets.get(f"{one.topic}/{one.partition}", one.offset)
        client.assign(partitions)

    client = consumer(settings, lambda error: _note(error, link))
    link.status.where = ",".join(settings.brokers)
    try:
        client.subscribe(list(settings.topics), on_assign=assign)
        while not link.stop.is_set():
            for message in client.consume(BATCH, POLL):
                if message.error() is not None:
                    _note(message.error(), link)
                    continue
                link.status.turn("running")
                place = f"{message.topic()}/{message.partition()}"
                offsets[place] = message.offset() + 1
                body = message.value() or b""
                yield Parcel(body, f"{place}@{message.offset()}", mark=dict(offsets))
    except confluent_kafka.KafkaException as error:
        raise PassingError(f"kafka: {error}") from None
    finally:
        client.close()


def _note(error: Any, link: Link) -> None:
    if error.fatal():
        raise RunError(f"kafka: {error.str()}")
    link.status.turn("waiting", f"kafka: {error.str()}")
