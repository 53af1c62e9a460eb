"""Messages of an SQS queue: events themselves, or notices of S3 objects that hold them."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from eyas.errors import PassingError
from eyas.transports import aws, s3
from eyas.transports.parcel import Link, Outcome, Parcel
from eyas.transports.patience import patiently
from eyas.transports.receipts import Receipts

BATCH = 10  # the most that SQS takes


@dataclass(frozen=True, kw_only=True)
class Settings(aws.Account):
    """Which queue."""

    queue: Annotated[str, "Address of the queue, or its name."]
    owner: Annotated[str, "Account that owns the queue, when it is another."] = ""
    wait: Annotated[int, "Seconds that one request waits for messages."] = 20
    visibility: Annotated[int, "Seconds until a message that was not dealt with comes again."] = 300


@dataclass(frozen=True, slots=True)
class Notice:
    """What a message holds: objects to fetch, or the bytes of events."""

    things: tuple[s3.Thing, ...] = ()
    body: bytes = b""


def address(sqs: Any, settings: Settings) -> str:
    """Address of the queue."""
    if settings.queue.startswith(("http://", "https://")):
        return settings.queue
    owner = {"QueueOwnerAWSAccountId": settings.owner} if settings.owner else {}
    return str(aws.call(sqs.get_queue_url, QueueName=settings.queue, **owner)["QueueUrl"])


def probe(settings: Settings) -> str:
    """Ask for the number of messages."""
    sqs = aws.client("sqs", settings)
    url = address(sqs, settings)
    name = "ApproximateNumberOfMessages"
    answer = aws.call(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=[name])
    return f"{url} is readable, about {answer['Attributes'][name]} messages wait"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every message; it is deleted when all that it led to is safe."""
    sqs, bucket = aws.client("sqs", settings), aws.client("s3", settings)
    url = patiently(link, lambda: address(sqs, settings))
    link.status.where = url
    query = {"QueueUrl": url, "MaxNumberOfMessages": BATCH, "WaitTimeSeconds": settings.wait}
    query["VisibilityTimeout"] = settings.visibility
    receipts = Receipts(lambda batch: _delete(sqs, url, batch), BATCH, link)
    try:
        while not link.stop.is_set():
            answer = patiently(link, lambda: aws.call(sqs.receive_message, **query))
            link.status.turn("running")
            for message in answer.get("Messages", ()):
                yield from _parcels(message, bucket, link, _Debt(message["ReceiptHandle"], receipts))
    finally:
        receipts.close()


def _delete(sqs: Any, url: str, receipts: Sequence[str]) -> None:
    entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
    answer = aws.call(sqs.delete_message_batch, QueueUrl=url, Entries=entries)
    if failed := answer.get("Failed"):
        raise PassingError(f"{len(failed)} messages were not deleted: {failed[0].get('Code')}")


def _parcels(message: dict[str, Any], bucket: Any, link: Link, debt: _Debt) -> Iterator[Parcel]:
    origin = f"message {message['MessageId']}"
    try:
        notice = read(message["Body"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        link.status.refuse("not a notice", origin, f"{type(error).__name__}: {error}")
        return
    things = [thing for thing in notice.things if not link.seen(thing.identity)]
    debt.owed = len(things) + bool(notice.body)
    if not debt.owed:
        debt.pay()
    if notice.body:
        yield Parcel(notice.body, origin, settle=debt.settle)
    for thing in things:
        body = s3.fetch(bucket, thing, link)
        if body is not None:
            yield Parcel(body, thing.origin, key=thing.identity, settle=debt.settle)


class _Debt:
    """What a message led to. When all of it is settled the message is deleted; what is not comes again, or goes to
    the queue's own place for dead letters."""

    def __init__(self, receipt: str, receipts: Receipts) -> None:
        self._receipt, self._receipts = receipt, receipts
        self._lock = threading.Lock()
        self.owed = 0

    def settle(self, outcome: Outcome) -> None:
        """Note what became of one part."""
        if outcome is Outcome.AGAIN:
            return
        with self._lock:
            self.owed -= 1
            done = self.owed == 0
        if done:
            self.pay()

    def pay(self) -> None:
        """Delete the message."""
        self._receipts.add(self._receipt)


def read(text: str) -> Notice:
    """What a message says: S3's own notice, one wrapped by SNS, CloudTrail's, EventBridge's, or an event."""
    body = json.loads(text)
    if not isinstance(body, dict):
        return Notice(body=text.encode())
    if body.get("Type") == "Notification" and isinstance(body.get("Message"), str):
        return read(body["Message"])
    if body.get("Event") == "s3:TestEvent":
        return Notice()
    if isinstance(body.get("s3ObjectKey"), list):
        return Notice(tuple(s3.Thing(body["s3Bucket"], key) for key in body["s3ObjectKey"]))
    if _is_s3(body):
        return Notice(tuple(_named(item["s3"]) for item in body["Records"] if "s3" in item))
    if "detail-type" in body:
        return _bridged(body)
    return Notice(body=text.encode())


def _is_s3(body: dict[str, Any]) -> bool:
    records = body.get("Records")
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(item, dict) and item.get("eventSource") == "aws:s3" for item in records)
    )


def _named(item: dict[str, Any]) -> s3.Thing:
    key = urllib.parse.unquote_plus(item["object"]["key"])
    return s3.Thing(item["bucket"]["name"], key, str(item["object"].get("eTag", "")))


def _bridged(body: dict[str, Any]) -> Notice:
    detail = body["detail"]
    if body.get("source") == "aws.s3" and "object" in detail:
        item = detail["object"]
        return Notice((s3.Thing(detail["bucket"]["name"], item["key"], str(item.get("etag", ""))),))
    return Notice(body=json.dumps(detail).encode())
