"""AWS Kinesis: the alert as a record of a stream."""

from eyas.outputs.card import Output
from eyas.outputs.wire.kinesis import KinesisSettings, open_link, request


class Settings(KinesisSettings):
    """Keys below `aws.kinesis`."""


OUTPUT = Output(
    "aws.kinesis",
    "AWS Kinesis: a record of a stream",
    Settings,
    request,
    open=open_link,
    batch=100,
    libraries={"boto3": "aws"},
)
