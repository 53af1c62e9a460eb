"""AWS CloudWatch Logs: the alert as an event of a log stream."""

from collections.abc import Sequence
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, refused
from eyas.outputs.body import event
from eyas.outputs.card import Output
from eyas.outputs.wire.aws import AwsSettings, Link

STREAM = "falcosidekick-logstream"


class LogsSettings(AwsSettings):
    """Keys below `aws.cloudwatchlogs`."""

    service = "logs"
    needs = ("loggroup",)
    loggroup: str
    logstream: str = ""


def request(alert: Alert, settings: LogsSettings) -> Request:
    """One event."""
    head = {
        "group": settings.loggroup,
        "stream": settings.logstream or STREAM,
        "timestamp": str(alert.ts // 10**6),
    }
    return Request("PutLogEvents", "logs://", head, event.event_json(alert))


def put(client: Any, batch: Sequence[Request]) -> list[Answer]:
    """All events in one call, in the order of time that the service wants."""
    order = sorted(range(len(batch)), key=lambda at: int(batch[at].headers["timestamp"]))
    events = [
        {"timestamp": int(batch[at].headers["timestamp"]), "message": batch[at].body.decode()} for at in order
    ]
    where = {"logGroupName": batch[0].headers["group"], "logStreamName": batch[0].headers["stream"]}
    try:
        reply = client.put_log_events(**where, logEvents=events)
    except client.exceptions.ResourceNotFoundException:
        client.create_log_stream(**where)
        reply = client.put_log_events(**where, logEvents=events)
    return _answers(reply.get("rejectedLogEventsInfo", {}), order)


def _answers(rejected: dict[str, int], order: list[int]) -> list[Answer]:
    """Events before one index are too old, after another too new."""
    old = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
    new = rejected.get("tooNewLogEventStartIndex", len(order))
    answers = [delivered()] * len(order)
    for place, at in enumerate(order):
        if not old <= place < new:
            answers[at] = refused("the service does not take events of that time")
    return answers


def open_link(settings: LogsSettings) -> Sender:
    """A client."""
    return Link(settings, put)


OUTPUT = Output(
    "aws.cloudwatchlogs",
    "AWS CloudWatch Logs: an event of a log stream",
    LogsSettings,
    request,
    open=open_link,
    batch=100,
    libraries={"boto3": "aws"},
    largest=250_000,
)
