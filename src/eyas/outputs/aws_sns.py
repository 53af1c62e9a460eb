"""AWS SNS: the alert to a topic, as text with attributes or as JSON."""

import json
import re
from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event
from eyas.outputs.body.markup import fitted, line
from eyas.outputs.card import Output
from eyas.outputs.wire.aws import AwsSettings, Link, one_by_one

# A message with its attributes has 256 KiB, a number is at most 10^9 in size,
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
ROOM, LONGEST, LARGEST_NUMBER = 90_000, 4096, 1_000_000_000

_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_DOTS = re.compile(r"\.{2,}")


class SnsSettings(AwsSettings):
    """Keys below `aws.sns`."""

    service = "sns"
    needs = ("topicarn",)
    topicarn: str
    rawjson: bool = False


def request(alert: Alert, settings: SnsSettings) -> Request:
    """One message."""
    if settings.rawjson:
        return Request("Publish", f"sns://{settings.topicarn}", {}, event.event_json(alert))
    head = {"attributes": json.dumps(_attributes(alert))}
    return Request("Publish", f"sns://{settings.topicarn}", head, line(event.output(alert)).encode())


def _attributes(alert: Alert) -> dict[str, dict[str, str]]:
    made = {name: _attribute(value) for name, value in event.fields(alert).items()}
    own = {"priority": event.priority(alert), "rule": alert.rule, "source": event.source(alert)}
    own |= {"tags": ",".join(event.tags(alert)), "hostname": alert.hostname}
    made |= {name: _attribute(value) for name, value in own.items()}
    room, kept = ROOM, {}
    for name, attribute in reversed(made.items()):
        name = _named(name)
        room -= len(name) + len(attribute["StringValue"].encode())
        if name and attribute["StringValue"] and room >= 0:
            kept[name] = attribute
    return dict(reversed(kept.items()))


def _named(name: str) -> str:
    """A name as the service takes it: no brackets, no dot at an end or after another."""
    return _DOTS.sub(".", _NAME.sub("_", name.replace("[", ".").replace("]", ""))).strip(".")[:256]


def _attribute(value: Any) -> dict[str, str]:
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER
    text = "" if value is None else fitted(event.text(value), LONGEST, line)
    return {"DataType": "Number" if number else "String", "StringValue": text}


def publish(client: Any, request: Request) -> None:
    """Send it."""
    attributes = json.loads(request.headers.get("attributes", "{}"))
    topic = request.url.removeprefix("sns://")
    client.publish(TopicArn=topic, Message=request.body.decode(), MessageAttributes=attributes)


def open_link(settings: SnsSettings) -> Sender:
    """A client."""
    return Link(settings, one_by_one(publish))


OUTPUT = Output(
    "aws.sns",
    "AWS SNS: the alert to a topic",
    SnsSettings,
    request,
    open=open_link,
    batch=10,
    libraries={"boto3": "aws"},
    largest=150_000,
)
