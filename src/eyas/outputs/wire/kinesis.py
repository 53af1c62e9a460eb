"""Records of Kinesis, for all that speaks its protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, retry
from eyas.outputs.body import event
from eyas.outputs.wire.aws import AwsSettings, Link


class KinesisSettings(AwsSettings):
    """Keys of a stream."""

    service = "kinesis"
    needs = ("streamname",)
    streamname: str


def request(alert: Alert, settings: KinesisSettings) -> Request:
    """One record; the id spreads records over the shards."""
    head = {"partition-key": event.identity(alert)}
    return Request("PutRecord", f"kinesis://{settings.streamname}", head, event.event_json(alert))


def put(client: Any, batch: Sequence[Request]) -> list[Answer]:
    """All records in one call; the service answers each."""
    records = [{"Data": r.body, "PartitionKey": r.headers["partition-key"]} for r in batch]
    reply = client.put_records(StreamName=batch[0].url.removeprefix("kinesis://"), Records=records)
    return [_answer(record) for record in reply["Records"]]


def _answer(record: dict[str, str]) -> Answer:
    code = record.get("ErrorCode")
    return retry(f"{code}: {record.get('ErrorMessage', '')}") if code else delivered()


def open_link(settings: KinesisSettings) -> Sender:
    """A client."""
    return Link(settings, put)
