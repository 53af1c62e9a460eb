"""Places from which numbered events come, each a real server or daemon that outlives the run that reads it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service import Asked, Says, service
from tests.transports.test_streams import jetstream_server

REGION = "eu-central-1"
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
}
# How soon a queue brings again what was taken and not acknowledged.
AGAIN = 2


@dataclass
class Reservoir:
    """How a source is configured, and how events get there. `key` is where their number stands. With `from_now_on`, what
    was there before the first start is not read."""

    section: dict[str, Any]
    write: Callable[[Iterable[int]], None]
    source: str = "k8s_audit"
    key: str = "/auditID"
    from_now_on: bool = False


def event(number: int) -> bytes:
    made = {"auditID": str(number), "verb": "get", "stageTimestamp": "2026-01-31T10:00:00Z"}
    return json.dumps(made).encode()


def lines(numbers: Iterable[int]) -> bytes:
    return b"".join(event(number) + b"\n" for number in numbers)


@contextmanager
def followed(folder: Path) -> Iterator[Reservoir]:
    """A log that is rotated, and copied and truncated, between two writes; some lines come in halves."""
    log = folder / "audit.log"
    turn = iter(range(1000))

    def write(numbers: Iterable[int]) -> None:
        number = next(turn)
        if number:
            log.rename(folder / f"audit.log.{number}")
        data = lines(numbers)
        half = len(data) // 2
        for part in (data[:half], data[half:]):
            with log.open("ab") as out:
                out.write(part)

    yield Reservoir({"via": "file", "path": str(log), "interval": 0.02}, write)


@contextmanager
def documents(folder: Path) -> Iterator[Reservoir]:
    """A folder of compressed documents."""
    place = folder / "documents"
    place.mkdir()

    def write(numbers: Iterable[int]) -> None:
        for number in numbers:
            (place / f"{number:04}.json.gz").write_bytes(gzip.compress(b"[" + event(number) + b"]"))

    yield Reservoir({"via": "files", "path": str(place), "interval": 0.02}, write)


@contextmanager
def moto() -> Iterator[tuple[dict[str, str], Callable[[str], Any]]]:
    """AWS on this machine: where it is, and clients for it."""
    server_module = pytest.importorskip("moto.server", reason="moto is not installed: uv sync --all-extras")
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    try:
        yield (
            {"region": REGION, "endpoint": url},
            lambda name: boto3.client(name, endpoint_url=url, region_name=REGION, **keys),  # type: ignore[call-overload]
        )
    finally:
        server.stop()


@contextmanager
def bucket(folder: Path) -> Iterator[Reservoir]:
    """Objects of a bucket, a folder a day."""
    with moto() as (account, client):
        s3 = client("s3")
        s3.create_bucket(Bucket="days", CreateBucketConfiguration={"LocationConstraint": REGION})

        def write(numbers: Iterable[int]) -> None:
            for number in numbers:
                key = f"audit/2026/01/{number // 40 + 1:02}/{number}.json.gz"
                s3.put_object(Bucket="days", Key=key, Body=gzip.compress(event(number)))

        yield Reservoir({"via": "s3", "bucket": "days", "interval": 0.05, **account}, write)


@contextmanager
def queue(folder: Path) -> Iterator[Reservoir]:
    """Messages of a queue: every second one is the notice of an object."""
    with moto() as (account, client):
        s3, sqs = client("s3"), client("sqs")
        s3.create_bucket(Bucket="queued", CreateBucketConfiguration={"LocationConstraint": REGION})
        url = sqs.create_queue(QueueName="audit")["QueueUrl"]

        def write(numbers: Iterable[int]) -> None:
            for number in numbers:
                body = event(number).decode()
                if number % 2:
                    s3.put_object(Bucket="queued", Key=f"{number}.json", Body=event(number))
                    named = {"bucket": {"name": "queued"}, "object": {"key": f"{number}.json"}}
                    body = json.dumps({"Records": [{"eventSource": "aws:s3", "s3": named}]})
                sqs.send_message(QueueUrl=url, MessageBody=body)

        yield Reservoir({"via": "sqs", "queue": url, "wait": 0, "visibility": AGAIN, **account}, write)


@contextmanager
def log_group(folder: Path) -> Iterator[Reservoir]:
    """A log group of CloudWatch, whose events of the last minutes come unordered."""
    with moto() as (account, client):
        logs = client("logs")
        logs.create_log_group(logGroupName="audit")
        logs.create_log_stream(logGroupName="audit", logStreamName="a")

        def write(numbers: Iterable[int]) -> None:
            now = int(time.time() * 1000)
            events = [{"timestamp": now - n * 37 % 5000, "message": event(n).decode()} for n in numbers]
            events.sort(key=lambda one: one["timestamp"])
            logs.put_log_events(logGroupName="audit", logStreamName="a", logEvents=events)

        yield Reservoir({"via": "cloudwatch", "group": "audit", "interval": 0.05, **account}, write)


@contextmanager
def posted(folder: Path) -> Iterator[Reservoir]:
    """A sender of webhooks that tries again until it is told that an event is safe."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    over = threading.Event()

    def post(numbers: list[int]) -> None:
        with httpx.Client(timeout=10) as client:
            while numbers and not over.is_set():
                kind = {"Content-Type": "application/json"}
                with contextlib.suppress(httpx.HTTPError):
                    if (
                        client.post(
                            f"http://127.0.0.1:{port}/", content=event(numbers[0]), headers=kind
                        ).status_code
                        == 200
                    ):
                        numbers.pop(0)
                        continue
                over.wait(0.05)

    threads = []

    def write(numbers: Iterable[int]) -> None:
        thread = threading.Thread(target=post, args=(list(numbers),))
        thread.start()
        threads.append(thread)

    yield Reservoir({"via": "http", "listen": f"127.0.0.1:{port}", "path": "/"}, write)
    over.set()
    for thread in threads:
        thread.join()


@contextmanager
def topic(folder: Path) -> Iterator[Reservoir]:
    """A topic of librdkafka's own cluster; it lives as long as its producer."""
    confluent = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    producer = confluent.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = producer.list_topics(timeout=10).brokers.values()

    def write(numbers: Iterable[int]) -> None:
        for number in numbers:
            producer.produce("audit", event(number))
        assert producer.flush(20) == 0

    section = {"via": "kafka", "brokers": [f"{broker.host}:{broker.port}"], "topics": ["audit"], "session": 4}
    yield Reservoir(section, write)


@contextmanager
def subject(folder: Path) -> Iterator[Reservoir]:
    """A subject of JetStream."""
    with jetstream_server(folder) as url:
        import nats

        async def begin() -> None:
            line = await nats.connect(url)
            await line.jetstream().add_stream(name="AUDIT", subjects=["audit.>"])
            config = nats.js.api.ConsumerConfig(durable_name="eyas", ack_wait=AGAIN)
            await line.jetstream().add_consumer("AUDIT", config)
            await line.close()

        async def publish(numbers: Iterable[int]) -> None:
            line = await nats.connect(url)
            for number in numbers:
                await line.jetstream().publish("audit.k8s", event(number))
            await line.close()

        asyncio.run(begin())
        yield Reservoir(
            {"via": "nats", "servers": [url], "subject": "audit.k8s"},
            lambda numbers: asyncio.run(publish(numbers)),
        )


@dataclass
class Subscription:
    """A subscription of Pub/Sub: what is pulled and not acknowledged comes again after its deadline."""

    ready: dict[str, str] = field(default_factory=dict)
    out: dict[str, tuple[str, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Says:
        given = json.loads(asked.body)
        with self.lock:
            late = [one for one, (_, until) in self.out.items() if until < time.monotonic()]
            self.ready |= {one: self.out.pop(one)[0] for one in late}
            if not asked.path.endswith(":pull"):
                for one in given["ackIds"]:
                    self.out.pop(one, None)
                return Says({})
            taken = list(self.ready)[: min(given["maxMessages"], 10)]
            for one in taken:
                self.out[one] = (self.ready.pop(one), time.monotonic() + AGAIN)
            found = [{"ackId": one, "message": {"data": self.out[one][0], "messageId": one}} for one in taken]
        return Says({"receivedMessages": found} if found else {})


@contextmanager
def subscription(folder: Path) -> Iterator[Reservoir]:
    """A subscription of Pub/Sub, over a small server."""
    made = Subscription()

    def write(numbers: Iterable[int]) -> None:
        with made.lock:
            made.ready |= {str(number): base64.b64encode(event(number)).decode() for number in numbers}

    with service(made.answer) as google:
        section = {
            "via": "pubsub",
            "project": "p",
            "subscription": "s",
            "endpoint": google.url,
            "interval": 0.02,
        }
        yield Reservoir(section, write)


@contextmanager
def journal(folder: Path) -> Iterator[Reservoir]:
    """A journal in a folder, to which systemd's own receiver writes."""
    remote = Path("/lib/systemd/systemd-journal-remote")
    if shutil.which("journalctl") is None or not remote.exists():
        pytest.skip("journalctl or systemd-journal-remote is not installed")
    place = folder / "journal"
    place.mkdir()
    call = [str(remote), "-o", str(place / "a.journal"), "-"]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as receiver:

        def write(numbers: Iterable[int]) -> None:
            assert receiver.stdin is not None
            for number in numbers:
                text = f"__REALTIME_TIMESTAMP={1_769_853_600_000_000 + number}\n__MONOTONIC_TIMESTAMP={number + 2}\n"
                text += f"_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE={number}\nPRIORITY=4\n\n"
                receiver.stdin.write(text.encode())
            receiver.stdin.flush()

        write([-1])
        yield Reservoir(
            {"via": "journald", "directory": str(place)}, write, "journal", "/MESSAGE", from_now_on=True
        )
        receiver.kill()


RESERVOIRS = (
    followed, documents, bucket, queue, log_group, posted, topic, subject, subscription, journal,
)  # fmt: skip


def environment() -> dict[str, str]:
    """What a run needs to reach them."""
    return {**os.environ, **ACCOUNT}
