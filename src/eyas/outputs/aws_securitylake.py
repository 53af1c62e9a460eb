"""AWS Security Lake: many alerts as one Parquet file of OCSF security findings."""

import hashlib
import io
import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from eyas.alert import SECOND, Alert
from eyas.delivery import Request, Sender
from eyas.outputs.body import event, ocsf
from eyas.outputs.card import WHOLE, Output, library
from eyas.outputs.wire.aws import AwsSettings, Link, one_by_one
from eyas.outputs.wire.s3 import put


class LakeSettings(AwsSettings):
    """Keys below `aws.securitylake`."""

    service = "s3"
    shared = ("accesskeyid", "secretaccesskey", "rolearn", "externalid", "checkidentity")
    needs = ("bucket", "region", "prefix", "accountid")
    bucket: str
    region: str
    prefix: str
    accountid: str
    interval: Annotated[int, AfterValidator(lambda minutes: min(60, max(5, minutes)))] = 5
    batchsize: int = 1000


def request(alert: Alert, settings: LakeSettings) -> Request:
    """A file with one finding."""
    return requests([alert], settings)[0]


def requests(alerts: Sequence[Alert], settings: LakeSettings) -> list[Request]:
    """A file for each day; its name follows from what it holds, so that a repeat writes the same file again."""
    days: dict[str, list[Alert]] = {}
    for alert in alerts:
        days.setdefault(time.strftime("%Y%m%d", time.gmtime(alert.ts // SECOND)), []).append(alert)
    return [_file(day, found, settings) for day, found in days.items()]


def _file(day: str, alerts: list[Alert], settings: LakeSettings) -> Request:
    ids = "\n".join(event.identity(alert) for alert in alerts).encode()
    name = uuid.UUID(bytes=hashlib.blake2b(ids, digest_size=16).digest(), version=4)
    where = f"region={settings.region}/accountId={settings.accountid}/eventDay={day}"
    url = f"s3://{settings.bucket}/{settings.prefix.strip('/')}/{where}/{name}.parquet"
    head = {"acl": "bucket-owner-full-control", "content-type": "application/vnd.apache.parquet"}
    return Request("PutObject", url, head, parquet([ocsf.finding(alert) for alert in alerts]))


def parquet(findings: list[dict[str, Any]]) -> bytes:
    """Findings as the columns of a file."""
    arrow, writer = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    table = arrow.Table.from_pylist(findings, schema=_schema(arrow))
    out = io.BytesIO()
    writer.write_table(table, out, compression="zstd", version="2.6")
    return out.getvalue()


def _schema(arrow: Any) -> Any:
    text, number, long = arrow.string(), arrow.int32(), arrow.int64()
    texts = arrow.list_(text)
    product = arrow.struct({"name": text, "vendor_name": text})
    observable = arrow.struct({"name": text, "type": text, "type_id": number, "value": text})
    columns = {
        "activity_id": number,
        "activity_name": text,
        "category_name": text,
        "category_uid": number,
        "class_name": text,
        "class_uid": number,
        "finding": arrow.struct(
            {"created_time": long, "desc": text, "title": text, "types": texts, "uid": text}
        ),
        "message": text,
        "metadata": arrow.struct({"labels": texts, "product": product, "version": text}),
        "observables": arrow.list_(observable),
        "raw_data": text,
        "severity": text,
        "severity_id": number,
        "state": text,
        "state_id": number,
        "status": text,
        "time": long,
        "type_name": text,
        "type_uid": number,
    }
    return arrow.schema(columns)


def open_link(settings: LakeSettings) -> Sender:
    """A client."""
    return Link(settings, one_by_one(put))


OUTPUT = Output(
    "aws.securitylake",
    "AWS Security Lake: OCSF findings in Parquet",
    LakeSettings,
    request,
    requests=requests,
    batch=1000,
    open=open_link,
    linger=lambda settings: settings.interval * 60.0,
    libraries={"boto3": "aws", "pyarrow": "parquet"},
    largest=WHOLE,
)
