"""Objects in buckets of S3, for all that speaks its protocol."""

from __future__ import annotations

from typing import Any

from eyas.alert import Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event, objects
from eyas.outputs.wire.aws import AwsSettings, Link, one_by_one


class S3Settings(AwsSettings):
    """Keys of a bucket."""

    service = "s3"
    needs = ("bucket",)
    bucket: str
    prefix: str = "falco"
    endpoint: str = ""
    objectcannedacl: str = "bucket-owner-full-control"


def request(alert: Alert, settings: S3Settings) -> Request:
    """One object."""
    head = {"acl": settings.objectcannedacl, "content-type": "application/json"}
    url = f"s3://{settings.bucket}/{objects.key(settings.prefix, alert)}"
    return Request("PutObject", url, head, event.event_json(alert))


def put(client: Any, request: Request) -> None:
    """Write it, with a checksum."""
    bucket, _, key = request.url.removeprefix("s3://").partition("/")
    acl = {"ACL": request.headers["acl"]} if request.headers.get("acl") else {}
    kind = request.headers["content-type"]
    client.put_object(
        Bucket=bucket, Key=key, Body=request.body, ContentType=kind, ChecksumAlgorithm="CRC32", **acl
    )


def open_link(settings: S3Settings) -> Sender:
    """A client."""
    return Link(settings, one_by_one(put))
