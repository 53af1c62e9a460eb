"""Yandex Data Streams: the alert as a record of a stream."""

from pydantic import SecretStr

from eyas.outputs.card import Output
from eyas.outputs.wire.kinesis import KinesisSettings, open_link, request


class Settings(KinesisSettings):
    """Keys below `yandex.datastreams`."""

    shared = ("accesskeyid", "secretaccesskey", "region")
    accesskeyid: str = ""
    secretaccesskey: SecretStr = SecretStr("")
    region: str = "ru-central1"
    endpoint: str = "https://yds.serverless.yandexcloud.net"


OUTPUT = Output(
    "yandex.datastreams",
    "Yandex Data Streams: a record of a stream",
    Settings,
    request,
    open=open_link,
    batch=100,
    libraries={"boto3": "aws"},
)
