"""Kafka: the alert as a message of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import SecretStr

from eyas.alert import Alert
from eyas.delivery import Answer, Outcome, Request, Sender, delivered, refused, retry
from eyas.outputs.body import event
from eyas.outputs.body.http import reveal
from eyas.outputs.card import Output, Settings, library
from eyas.outputs.values import UPPER, Items

ACKS = {"NONE": 0, "ONE": 1, "ALL": -1}
PARTITIONERS = {
    "crc32_random": "consistent_random",
    "crc32_consistent": "consistent",
    "murmur2_random": "murmur2_random",
    "murmur2_consistent": "murmur2",
}
# What the broker will never take, by name of the error.
NEVER = frozenset(
    ("MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD", "INVALID_MSG_SIZE", "TOPIC_EXCEPTION")
)
PATIENCE = 10.0


class KafkaSettings(Settings):
    """Keys below `kafka`."""

    needs = ("hostport", "topic")
    ignored = ("async",)  # the producer always collects, and always waits for the answers
    hostport: Items
    topic: str
    sasl: Annotated[Literal["", "PLAIN", "SCRAM_SHA256", "SCRAM_SHA512"], UPPER] = ""
    tls: bool = False
    mutualtls: bool = False
    checkcert: bool = True
    username: str = ""
    password: SecretStr = SecretStr("")
    balancer: str = "round_robin"
    clientid: str = ""
    compression: Annotated[Literal["NONE", "GZIP", "SNAPPY", "LZ4", "ZSTD"], UPPER] = "NONE"
    requiredacks: Annotated[Literal["NONE", "ONE", "ALL"], UPPER] = "ALL"
    topiccreation: bool = False


def request(alert: Alert, settings: KafkaSettings) -> Request:
    """One message; its id stands in a header, so that a consumer can drop repeats."""
    head = {"topic": settings.topic, "id": event.identity(alert)}
    return Request("PRODUCE", f"kafka://{','.join(settings.hostport)}", head, event.event_json(alert))


class Link:
    """A producer."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.kafka = library("confluent_kafka", "kafka")
        self.trouble = ""  # why the brokers are not reached, as far as the library tells
        self.producer = self.kafka.Producer(configuration(settings) | {"error_cb": self._told})

    def _told(self, error: Any) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self.trouble:
            self.trouble = error.str()

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """All messages; the broker answers each."""
        answers = [retry("no answer of the broker")] * len(batch)
        for at, request in enumerate(batch):
            try:
                self.producer.produce(
                    request.headers["topic"],
                    request.body,
                    headers={"id": request.headers["id"].encode()},
                    on_delivery=_noting(answers, at),
                )
            except self.kafka.KafkaException as error:
                answers[at] = _answer(error.args[0])
            except BufferError as error:
                answers[at] = retry(str(error))
        self.producer.flush(PATIENCE + 1)
        return [self._explained(answer) for answer in answers]

    def _explained(self, answer: Answer) -> Answer:
        """A wrong password and a foreign certificate show themselves only as a time that is over."""
        if answer.outcome is not Outcome.RETRY or not self.trouble:
            return answer
        return retry(f"{answer.reason}: {self.trouble}"[:300])

    def close(self) -> None:
        """Forget what is still on its way; the queue has it."""
        self.producer.purge()
        self.producer.flush(0)


def _noting(answers: list[Answer], at: int) -> Any:
    def note(error: Any, _message: Any) -> None:
        answers[at] = _answer(error) if error is not None else delivered()

    return note


def _answer(error: Any) -> Answer:
    return refused(error.str()) if error.name().lstrip("_") in NEVER else retry(error.str())


def configuration(settings: KafkaSettings) -> dict[str, Any]:
    """The same in the words of librdkafka."""
    trust = settings.trust
    secure = settings.tls or settings.mutualtls
    made: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.hostport),
        "client.id": settings.clientid or "eyas",
        "acks": ACKS[settings.requiredacks],
        "enable.idempotence": settings.requiredacks == "ALL",
        "compression.type": settings.compression.lower(),
        "partitioner": PARTITIONERS.get(settings.balancer, "random"),
        "allow.auto.create.topics": settings.topiccreation,
        "message.timeout.ms": int(PATIENCE * 1000),
        "socket.timeout.ms": int(PATIENCE * 1000),
        "linger.ms": 0,
        "security.protocol": f"{'sasl_' if settings.sasl else ''}{'ssl' if secure else 'plaintext'}",
        "log_level": 0,
    }
    if secure:
        files = {"ca": trust.ca_file, "certificate": trust.cert_file, "key": trust.key_file}
        made |= {f"ssl.{name}.location": path for name, path in files.items() if path}
        made |= {"enable.ssl.certificate.verification": trust.check}
    if settings.sasl:
        made["sasl.mechanism"] = settings.sasl.replace("SCRAM_SHA", "SCRAM-SHA-")
        made |= {"sasl.username": settings.username, "sasl.password": reveal(settings.password)}
    return made


def open_link(settings: KafkaSettings) -> Sender:
    """A producer."""
    return Link(settings)


OUTPUT = Output(
    "kafka",
    "Kafka: a message of a topic",
    KafkaSettings,
    request,
    open=open_link,
    batch=500,
    libraries={"confluent_kafka": "kafka"},
    largest=990_000,
)
