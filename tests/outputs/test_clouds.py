"""Clouds take the alerts: AWS and Yandex through a server that speaks their protocols, Google with real proofs of identity."""

import base64
import dataclasses
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pyarrow.parquet
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from eyas.delivery import Outcome, delivered
from eyas.outputs.body import event
from eyas.outputs.card import find, plan
from eyas.outputs.settings import settings_of
from tests.outputs.cases import ALERT, CASES
from tests.outputs.servers import deliver, send_all
from tests.outputs.service import Service
from tests.outputs.test_hostile import WORST

OTHER = dataclasses.replace(ALERT, rule="Second rule", eyas={"id": "second"})
HOSTILE = dataclasses.replace(WORST, ts=ALERT.ts)
EXPECTED = [json.loads(event.event_json(alert)) for alert in (ALERT, OTHER)]
KEYS: dict[str, object] = {"accesskeyid": "AKIA", "secretaccesskey": "secret", "region": "eu-west-1"}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    return boto3.client(service, endpoint_url=url, **keys)


@pytest.mark.parametrize("name", ["aws.s3", "yandex.s3"])
def test_s3_keeps_alerts_as_objects(aws: str, name: str) -> None:
    s3, bucket = client("s3", aws), name.replace(".", "-")
    values = {**KEYS, "endpoint": aws, "bucket": bucket}
    (answer,) = deliver(name, values, [ALERT])
    assert answer.outcome is Outcome.RETRY and "NoSuchBucket" in answer.reason
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert deliver(name, values, [ALERT, OTHER, ALERT]) == [delivered()] * 3
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 2
    assert all(key.startswith("falco/2023-11-14/2023-11-14T22:13:20.123456789Z-") for key in keys)
    found = [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    assert sorted(map(str, found)) == sorted(map(str, EXPECTED))


def test_security_lake_gets_one_file_for_many_alerts(aws: str) -> None:
    s3 = client("s3", aws)
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    values = {**KEYS, "endpoint": aws, **CASES["aws.securitylake"][""]}
    assert deliver("aws.securitylake", values, [ALERT, OTHER, HOSTILE]) == [delivered()]
    (one,) = s3.list_objects_v2(Bucket="lake")["Contents"]
    where = "ext/falco/region=eu-west-1/accountId=123456789012/eventDay=20231114/"
    assert one["Key"].startswith(where) and one["Key"].endswith(".parquet")
    body = s3.get_object(Bucket="lake", Key=one["Key"])["Body"].read()
    rows = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    assert [row["finding"]["title"] for row in rows] == [ALERT.rule, OTHER.rule, HOSTILE.rule]
    assert {row["class_uid"] for row in rows} == {2001} and rows[0]["severity"] == "Critical"


@pytest.mark.parametrize("name", ["aws.kinesis", "yandex.datastreams"])
def test_kinesis_takes_records(aws: str, name: str) -> None:
    kinesis, stream = client("kinesis", aws), name.replace(".", "-")
    values = {**KEYS, "endpoint": aws, "streamname": stream}
    (answer,) = deliver(name, values, [ALERT])
    assert answer.outcome is Outcome.RETRY
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    assert deliver(name, values, [ALERT, OTHER]) == [delivered()] * 2
    shard = kinesis.describe_stream(StreamName=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    where = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found = kinesis.get_records(ShardIterator=where["ShardIterator"])["Records"]
    assert [json.loads(record["Data"]) for record in found] == EXPECTED


def test_sqs_takes_messages_and_a_fifo_queue_drops_repeats(aws: str) -> None:
    sqs = client("sqs", aws)
    url = sqs.create_queue(QueueName="falco.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    values = {**KEYS, "endpoint": aws, "url": url}
    assert deliver("aws.sqs", values, [ALERT, OTHER, ALERT, HOSTILE]) == [delivered()] * 4
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["rule"] for message in found] == [
        ALERT.rule,
        OTHER.rule,
        HOSTILE.rule,
    ]
    (answer,) = deliver("aws.sqs", values | {"url": url + "x"}, [ALERT])
    assert answer.outcome is Outcome.RETRY


def test_sns_publishes_text_with_attributes(aws: str) -> None:
    sns, sqs = client("sns", aws), client("sqs", aws)
    topic = sns.create_topic(Name="falco")["TopicArn"]
    queue = sqs.create_queue(QueueName="sns")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    values = {**KEYS, "endpoint": aws, "topicarn": topic}
    assert deliver("aws.sns", values, [ALERT]) == [delivered()]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(message["Body"])
    assert body["Message"] == event.output(ALERT)
    assert body["MessageAttributes"]["rule"] == {"Type": "String", "Value": "Write below etc"}
    assert body["MessageAttributes"]["proc.aname.2"]["Value"] == "containerd-shim"
    assert deliver("aws.sns", values | {"rawjson": True}, [HOSTILE]) == [delivered()]


def test_cloudwatch_logs_makes_its_stream_and_takes_events_in_order(aws: str) -> None:
    logs = client("logs", aws)
    logs.create_log_group(logGroupName="falco")
    values = {**KEYS, "endpoint": aws, "loggroup": "falco"}
    import time

    recent = [
        dataclasses.replace(alert, ts=time.time_ns() - age)
        for alert, age in ((ALERT, 10**9), (OTHER, 5 * 10**9))
    ]
    assert deliver("aws.cloudwatchlogs", values, [*recent, ALERT])[:2] == [delivered()] * 2
    found = logs.get_log_events(logGroupName="falco", logStreamName="falcosidekick-logstream")["events"]
    assert [json.loads(one["message"])["rule"] for one in found][-2:] == [OTHER.rule, ALERT.rule]


def test_lambda_is_called_and_a_missing_function_may_still_come(aws: str) -> None:
    (answer,) = deliver("aws.lambda", {**KEYS, "endpoint": aws, "functionname": "none"}, [ALERT])
    assert answer.outcome is Outcome.RETRY and "ResourceNotFound" in answer.reason
    with Service() as service:
        service.answers["/2015-03-31/functions/react/invocations"] = (200, {}, b'"done"')
        values = {**KEYS, "endpoint": service.url, "functionname": "react"}
        assert deliver("aws.lambda", values, [ALERT]) == [delivered()]
        (seen,) = service.seen
        assert json.loads(seen.body) == EXPECTED[0]
        assert seen.headers["x-amz-log-type"] == "Tail"
        failed = {"X-Amz-Function-Error": "Unhandled"}
        service.answers["/2015-03-31/functions/react/invocations"] = (200, failed, b'{"errorMessage": "no"}')
        assert deliver("aws.lambda", values, [ALERT])[0].outcome is Outcome.REFUSED


def test_a_role_is_assumed(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    client("s3", aws).create_bucket(
        Bucket="role", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    role = {"rolearn": "arn:aws:iam::123456789012:role/falco", "externalid": "outside"}
    assert deliver("aws.s3", {**KEYS, "bucket": "role", **role}, [ALERT]) == [delivered()]


def key_file(token_url: str) -> str:
    """A key file of a service account whose proofs are taken at an address of ours."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    info = {
        "type": "service_account",
        "client_email": "falco@acme.example",
        "private_key": pem.decode(),
        "token_uri": token_url,
    }
    return base64.b64encode(json.dumps(info).encode()).decode()


@pytest.mark.parametrize("name", ["gcp.pubsub", "gcp.storage", "gcp.chronicle", "gcp.cloudfunctions"])
def test_google_gets_alerts_with_a_proof_of_identity(name: str) -> None:
    with Service() as service:
        service.answers["/token"] = (
            200,
            {},
            json.dumps({"access_token": "proof", "expires_in": 3600}).encode(),
        )
        values = {**CASES[name][""], "credentials": key_file(f"{service.url}/token")}
        card = find(name)
        requests = plan(card, [ALERT, HOSTILE], settings_of(card, values))
        moved = [service.moved(request) for request in requests]
        answers = send_all(name, values, moved)
        assert answers == [delivered()] * len(requests)
        proof, *told = service.seen
        assert proof.path == "/token" and b"assertion=" in proof.body
        assert {one.headers["authorization"] for one in told} == {"Bearer proof"}
        assert [one.body for one in told] == [request.body for request in requests]
        service.always = (429, {"Retry-After": "7"}, b"slow down")
        service.answers["/token"] = (
            200,
            {},
            json.dumps({"access_token": "proof", "expires_in": 3600}).encode(),
        )
        (answer, *_) = send_all(name, values, moved)
        assert (answer.outcome, answer.after) == (Outcome.RETRY, 7.0)


def test_a_key_file_that_is_none_is_a_fault_with_words() -> None:
    from eyas.errors import UsageError

    with pytest.raises(UsageError, match=r"gcp\.credentials: expected a key file in base64"):
        deliver("gcp.pubsub", {**CASES["gcp.pubsub"][""], "credentials": "nonsense!"}, [ALERT])


def test_event_hubs_are_asked_again_when_they_are_away() -> None:
    key = base64.b64encode(b"k").decode()
    text = f"Endpoint=sb://127.0.0.1/;SharedAccessKeyName=n;SharedAccessKey={key};UseDevelopmentEmulator=true"
    done: list[object] = []
    values = {"namespace": "acme", "name": "falco", "connectionstring": text}
    worker = threading.Thread(
        target=lambda: done.extend(deliver("azure.eventhub", values, [ALERT])), daemon=True
    )
    worker.start()
    worker.join(30)
    assert [answer.outcome for answer in done] == [Outcome.RETRY]  # type: ignore[attr-defined]
