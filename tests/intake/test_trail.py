"""CloudTrail of two accounts, from the notices of their buckets in a queue to the alerts of the rules we ship."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from eyas import rules
from eyas.alert import Alert
from eyas.intake import Intake, configured, judges
from eyas.sources import members
from eyas.transports import aws
from eyas.transports.checkpoint import Checkpoints
from tests.transports.conftest import wait_until

REGION = "eu-central-1"


def login(account: str, number: int, time: str = "2026-01-31T10:00:00Z") -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventID": f"{account}-{number}",
        "eventTime": time,
        "eventType": "AwsConsoleSignIn",
        "eventName": "ConsoleLogin",
        "eventSource": "signin.amazonaws.com",
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.7",
        "recipientAccountId": account,
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": account},
        "responseElements": {"ConsoleLogin": "Success"},
        "additionalEventData": {"MFAUsed": "No"},
    }


def test_logins_without_mfa_of_two_accounts_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto = pytest.importorskip("moto.server", reason="moto is not installed: uv sync --all-extras")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    account = {"region": REGION, "endpoint": "http://{}:{}".format(*server.get_host_and_port())}
    objects, queues = (aws.client(kind, aws.Account(**account)) for kind in ("s3", "sqs"))
    objects.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
    url = queues.create_queue(QueueName="trail")["QueueUrl"]

    def deliver(key: str, *events: dict[str, Any], times: int = 1) -> None:
        body = gzip.compress(json.dumps({"Records": events}).encode())
        objects.put_object(Bucket="trail", Key=key, Body=body)
        record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "trail"}, "object": {"key": key}}}
        for _ in range(times):
            queues.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))

    loaded = rules.load([rules.SERVICES / "aws_cloudtrail.yaml"], members.known())
    raised: list[Alert] = []
    store = Checkpoints(tmp_path / "checkpoints.db")
    feeds = configured({"aws_cloudtrail": {"via": "sqs", "queue": url, "wait": 0, **account}})
    known = judges(["aws_cloudtrail"], loaded.active, members.known())
    intake = Intake(feeds, known, store, raised.extend)
    thread = threading.Thread(target=intake.run)
    thread.start()
    # The same notice twice, the same event in two files, an event of an hour before, and one account after the other.
    deliver("AWSLogs/1/a.json.gz", login("1", 1), times=2)
    deliver("AWSLogs/1/b.json.gz", login("1", 1), login("1", 2, "2026-01-31T09:00:00Z"))
    deliver("AWSLogs/2/a.json.gz", login("2", 1))
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def left() -> int:
        found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    wait_until(lambda: left() == 0)
    intake.stop()
    thread.join()
    store.close()
    server.stop()
    told = [alert for alert in raised if "second factor" in alert.message]
    assert sorted(alert.ts for alert in told) == sorted(
        [1769853600000000000, 1769853600000000000 - 3600 * 10**9, 1769853600000000000]
    ), [alert.message for alert in raised]
