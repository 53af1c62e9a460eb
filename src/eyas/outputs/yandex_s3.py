"""Yandex Object Storage: the alert as an object of a bucket."""

from pydantic import SecretStr

from eyas.outputs.card import WHOLE, Output
from eyas.outputs.wire.s3 import S3Settings, open_link, request


class Settings(S3Settings):
    """Keys below `yandex.s3`."""

    shared = ("accesskeyid", "secretaccesskey", "region")
    accesskeyid: str = ""
    secretaccesskey: SecretStr = SecretStr("")
    region: str = "ru-central1"
    endpoint: str = "https://storage.yandexcloud.net"


OUTPUT = Output(
    "yandex.s3",
    "Yandex Object Storage: an object of a bucket",
    Settings,
    request,
    open=open_link,
    batch=100,
    libraries={"boto3": "aws"},
    largest=WHOLE,
)
