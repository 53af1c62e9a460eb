"""AWS Lambda: the alert to a function."""

from collections.abc import Sequence
from typing import Any, Literal

from eyas.alert import Alert
from eyas.delivery import Answer, Request, Sender, delivered, in_turn, refused
from eyas.outputs.body import event
from eyas.outputs.card import Output
from eyas.outputs.wire.aws import AwsSettings, Link, judged


class LambdaSettings(AwsSettings):
    """Keys below `aws.lambda`."""

    service = "lambda"
    needs = ("functionname",)
    functionname: str
    invocationtype: Literal["RequestResponse", "Event", "DryRun"] = "RequestResponse"
    logtype: Literal["Tail", "None"] = "Tail"


def request(alert: Alert, settings: LambdaSettings) -> Request:
    """One call."""
    head = {"invocation-type": settings.invocationtype, "log-type": settings.logtype}
    return Request("Invoke", f"lambda://{settings.functionname}", head, event.event_json(alert))


def invoke(client: Any, batch: Sequence[Request]) -> list[Answer]:
    """One call after the other."""
    return in_turn(batch, lambda request: _invoke(client, request))


def _invoke(client: Any, request: Request) -> Answer:
    try:
        reply = client.invoke(
            FunctionName=request.url.removeprefix("lambda://"),
            InvocationType=request.headers["invocation-type"],
            LogType=request.headers["log-type"],
            Payload=request.body,
        )
    except client.exceptions.ClientError as error:
        return judged(error.response)
    # The call went well and the function did not: it would fail on this alert again.
    failed = reply.get("FunctionError")
    return (
        refused(f"{failed}: {reply['Payload'].read(300).decode('utf-8', 'replace')}")
        if failed
        else delivered()
    )


def open_link(settings: LambdaSettings) -> Sender:
    """A client."""
    return Link(settings, invoke)


OUTPUT = Output(
    "aws.lambda",
    "AWS Lambda: the alert to a function",
    LambdaSettings,
    request,
    open=open_link,
    libraries={"boto3": "aws"},
    largest=250_000,
)
