"""AWS SQS: the alert as a message of a queue."""

from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event
from eyas.outputs.card import Output
from eyas.outputs.wire.aws import AwsSettings, Link, one_by_one


class SqsSettings(AwsSettings):
    """Keys below `aws.sqs`."""

    service = "sqs"
    needs = ("url",)
    url: str


def request(alert: Alert, settings: SqsSettings) -> Request:
    """One message; a FIFO queue keeps the order and drops repeats."""
    fifo = settings.url.endswith(".fifo")
    head = {"group": "falco", "deduplication": event.identity(alert)} if fifo else {}
    return Request("SendMessage", settings.url, head, event.event_json(alert))


def post(client: Any, request: Request) -> None:
    """Send it."""
    names = {"group": "MessageGroupId", "deduplication": "MessageDeduplicationId"}
    more = {names[key]: value for key, value in request.headers.items()}
    client.send_message(QueueUrl=request.url, MessageBody=request.body.decode(), **more)


def open_link(settings: SqsSettings) -> Sender:
    """A client."""
    return Link(settings, one_by_one(post))


OUTPUT = Output(
    "aws.sqs",
    "AWS SQS: a message of a queue",
    SqsSettings,
    request,
    open=open_link,
    batch=10,
    libraries={"boto3": "aws"},
    largest=256_000,
)
