"""AWS S3: the alert as an object of a bucket."""

from eyas.outputs.card import WHOLE, Output
from eyas.outputs.wire.s3 import S3Settings, open_link, request


class Settings(S3Settings):
    """Keys below `aws.s3`."""


OUTPUT = Output(
    "aws.s3",
    "AWS S3: an object of a bucket",
    Settings,
    request,
    open=open_link,
    batch=100,
    libraries={"boto3": "aws"},
    largest=WHOLE,
)
