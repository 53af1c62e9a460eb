"""S3, SQS, CloudWatch Logs and STS, against moto's server."""

import gzip
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from eyas.errors import RunError
from eyas.transports import aws, cloudwatch, s3, sqs
from eyas.transports.parcel import Link, Outcome
from eyas.transports.status import Status
from tests.transports.conftest import running, wait_until

moto_server = pytest.importorskip("moto.server", reason="moto is not installed: uv sync --all-extras")

REGION = "eu-central-1"
ROLE = "arn:aws:iam::123456789012:role/eyas"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def account(endpoint: str) -> dict[str, str]:
    return {"region": REGION, "endpoint": endpoint}


@pytest.fixture
def bucket(account: dict[str, str], request: pytest.FixtureRequest) -> tuple[Any, str]:
    client = aws.client("s3", aws.Account(**account))
    name = request.node.name.replace("_", "-").partition("[")[0][:60].strip("-")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client, name


def key(day: str, name: str, region: str = REGION) -> str:
    return f"AWSLogs/111122223333/CloudTrail/{region}/{day}/{name}.json.gz"


def put(client: Any, bucket: str, name: str, text: str) -> None:
    client.put_object(Bucket=bucket, Key=name, Body=gzip.compress(text.encode()))


def test_objects_of_all_regions_are_read_and_a_second_look_brings_the_new_ones(
    bucket: tuple[Any, str], account: dict[str, str]
) -> None:
    client, name = bucket
    put(client, name, key("2026/01/30", "a"), "1")
    put(client, name, key("2026/01/31", "b", "us-east-1"), "2")
    done: set[str] = set()
    settings = s3.Settings(bucket=name, prefix="AWSLogs/", interval=0.01, **account)
    with running(lambda link: s3.parcels(settings, link), seen=done.__contains__) as run:
        first = [run.next(), run.next()]
        assert [parcel.body for parcel in first] == [b"1", b"2"]
        done.update(parcel.key for parcel in first)
        put(client, name, key("2026/01/31", "a", "us-east-1"), "3")  # sorts before what was read
        parcel = run.next()
        assert parcel.body == b"3"
        assert parcel.mark == {
            f"AWSLogs/111122223333/CloudTrail/{REGION}/": "2026/01/30",
            "AWSLogs/111122223333/CloudTrail/us-east-1/": "2026/01/31",
        }


def test_days_that_are_done_are_not_listed_again(bucket: tuple[Any, str], account: dict[str, str]) -> None:
    client, name = bucket
    for day in ("2025/12/31", "2026/01/29", "2026/01/30", "2026/01/31"):
        put(client, name, key(day, "a"), day)
    settings = s3.Settings(bucket=name, follow=False, **account)
    link = Link(Status("test"), mark={f"AWSLogs/111122223333/CloudTrail/{REGION}/": "2026/01/31"})
    assert [parcel.body for parcel in s3.parcels(settings, link)] == [b"2026/01/30", b"2026/01/31"]


def test_an_object_that_cannot_be_opened_is_refused_and_the_rest_goes_on(
    bucket: tuple[Any, str], account: dict[str, str]
) -> None:
    client, name = bucket
    client.put_object(Bucket=name, Key="a.json.gz", Body=b"\x1f\x8bbroken")
    put(client, name, "b.json.gz", "fine")
    link = Link(Status("test"))
    assert [p.body for p in s3.parcels(s3.Settings(bucket=name, follow=False, **account), link)] == [b"fine"]
    assert link.status.refused["unreadable"] == 1


def test_a_missing_bucket_is_said_with_a_hint(account: dict[str, str]) -> None:
    with pytest.raises(RunError, match="NoSuchBucket") as failure:
        s3.probe(s3.Settings(bucket="nowhere", **account))
    assert "policy" in failure.value.hint


def test_a_role_is_assumed(bucket: tuple[Any, str], account: dict[str, str]) -> None:
    _, name = bucket
    assumed = aws.client("sts", aws.Account(role=ROLE, external_id="shared", **account))
    assert "assumed-role/eyas/eyas" in assumed.get_caller_identity()["Arn"]
    assert "readable" in s3.probe(s3.Settings(bucket=name, role=ROLE, **account))


NOTICE = {
    "Records": [
        {
            "eventSource": "aws:s3",
            "s3": {"bucket": {"name": "B"}, "object": {"key": "a+b%3D1.json.gz", "eTag": "e"}},
        }
    ]
}
CLOUDTRAIL = {"s3Bucket": "B", "s3ObjectKey": ["a b=1.json.gz"]}
EVENTBRIDGE = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "detail": {"bucket": {"name": "B"}, "object": {"key": "a b=1.json.gz", "etag": "e"}},
}


@pytest.mark.parametrize(
    "form", [NOTICE, {"Type": "Notification", "Message": json.dumps(NOTICE)}, CLOUDTRAIL, EVENTBRIDGE]
)
def test_notices_of_every_form_name_the_object(form: dict[str, Any]) -> None:
    (thing,) = sqs.read(json.dumps(form)).things
    assert (thing.bucket, thing.key) == ("B", "a b=1.json.gz")


def test_an_event_of_eventbridge_is_itself_the_record() -> None:
    form = {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.iam",
        "detail": {"eventName": "CreateUser"},
    }
    assert json.loads(sqs.read(json.dumps(form)).body) == {"eventName": "CreateUser"}
    assert sqs.read('{"Event": "s3:TestEvent"}') == sqs.Notice()


def test_a_message_is_deleted_when_all_its_objects_are_safe(
    bucket: tuple[Any, str], account: dict[str, str]
) -> None:
    client, name = bucket
    put(client, name, "one.gz", "1")
    put(client, name, "two.gz", "2")
    queues = aws.client("sqs", aws.Account(**account))
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    records = [
        {"eventSource": "aws:s3", "s3": {"bucket": {"name": name}, "object": {"key": k}}}
        for k in ("one.gz", "two.gz")
    ]
    queues.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": records}))
    settings = sqs.Settings(queue=url, wait=0, visibility=30, **account)
    with running(lambda link: sqs.parcels(settings, link)) as run:
        first, second = run.next(outcome=None), run.next(outcome=None)
        assert (first.body, second.body) == (b"1", b"2")
        first.settle(Outcome.SAFE)
        assert messages(queues, url) == 1
        second.settle(Outcome.SAFE)
        wait_until(lambda: messages(queues, url) == 0)


def test_a_message_that_was_not_dealt_with_comes_again(account: dict[str, str]) -> None:
    queues = aws.client("sqs", aws.Account(**account))
    url = queues.create_queue(QueueName="again")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody='{"detail-type": "x", "detail": {"n": 1}}')
    with running(
        lambda link: sqs.parcels(sqs.Settings(queue="again", wait=0, visibility=0, **account), link)
    ) as run:
        assert run.next(Outcome.AGAIN).body == run.next(Outcome.SAFE).body == b'{"n": 1}'


def test_a_message_of_nonsense_is_refused_and_stays_for_the_dead_letters(account: dict[str, str]) -> None:
    queues = aws.client("sqs", aws.Account(**account))
    url = queues.create_queue(QueueName="nonsense")["QueueUrl"]
    for body in ("{", '{"detail-type": "x"}', "[" * 100_000, '{"detail-type": "x", "detail": {}}'):
        queues.send_message(QueueUrl=url, MessageBody=body)
    with running(lambda link: sqs.parcels(sqs.Settings(queue=url, wait=0, **account), link)) as run:
        assert run.next().body == b"{}"
        assert run.link.status.refused["not a notice"] == 3
    wait_until(lambda: messages(queues, url) == 3)


def messages(queues: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_log_events_come_once_and_late_ones_are_not_missed(account: dict[str, str]) -> None:
    logs = aws.client("logs", aws.Account(**account))
    logs.create_log_group(logGroupName="/aws/eks/prod/cluster")
    logs.create_log_stream(logGroupName="/aws/eks/prod/cluster", logStreamName="audit-a")

    def write(*events: tuple[int, str]) -> None:
        made = [{"timestamp": at, "message": text} for at, text in events]
        logs.put_log_events(logGroupName="/aws/eks/prod/cluster", logStreamName="audit-a", logEvents=made)

    now = int(time.time() * 1000)
    write((now, "one"), (now + 5, "two"))
    settings = cloudwatch.Settings(
        group="/aws/eks/prod/cluster", streams="audit", interval=0.01, late=60, **account
    )
    with running(
        lambda link: cloudwatch.parcels(settings, link), mark={"newest": now - 1000, "ids": []}
    ) as run:
        assert run.next().body == b"one\ntwo"
        write((now - 2000, "late"))
        assert run.next().body == b"late"
        mark = run.mark
    write((now + 10, "three"))
    with running(lambda link: cloudwatch.parcels(settings, link), mark=mark) as run:
        assert run.next().body == b"three"


def test_a_missing_group_fails_and_a_throttled_call_is_tried_again(account: dict[str, str]) -> None:
    import botocore.exceptions

    with pytest.raises(RunError):
        cloudwatch.probe(cloudwatch.Settings(group="nowhere", **account))

    def busy(**_: Any) -> None:
        raise botocore.exceptions.ClientError({"Error": {"Code": "ThrottlingException"}}, "x")

    with pytest.raises(aws.PassingError):
        aws.call(busy)
