"""A long alert reaches every receiver: what is longer than it takes is cut, and the cut is told."""

import dataclasses
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eyas.delivery import Outcome, Request, delivered
from eyas.outputs import OUTPUTS
from eyas.outputs.card import WHOLE, find, plan
from eyas.outputs.policyreport import LARGEST, ReportSettings, merged
from eyas.outputs.settings import settings_of
from eyas.outputs.wire.aws import AwsSettings, Link
from tests.outputs.cases import ALERT, CASES
from tests.outputs.test_hostile import WORST

MEGABYTE = dataclasses.replace(
    WORST, ts=ALERT.ts, source="syscall", fields={**ALERT.fields, "proc.cmdline": "\x1b\n<&'\"`*" * 150_000}
)
MANY = dataclasses.replace(ALERT, fields={**ALERT.fields, **{f"field.{n}": "v" * 400 for n in range(5000)}})
LOUD = dataclasses.replace(
    ALERT, rule="r" * 300_000, message="m" * 300_000, hostname="h" * 300_000, tags=("t" * 300_000,)
)


@pytest.mark.parametrize("alert", [MEGABYTE, MANY, LOUD], ids=["megabyte", "many", "loud"])
@pytest.mark.parametrize("name", OUTPUTS)
def test_no_request_is_longer_than_its_receiver_takes(name: str, alert: Any) -> None:
    card = find(name)
    for values in CASES[name].values():
        settings = settings_of(card, values)
        assert all(len(one.body) <= card.largest for one in plan(card, [alert], settings))


def test_what_was_cut_is_named_and_the_rest_is_whole() -> None:
    card = find("aws.sqs")
    (made,) = plan(card, [MEGABYTE], settings_of(card, CASES["aws.sqs"][""]))
    body = json.loads(made.body)
    assert body["eyas"]["cut"] == ["proc.cmdline"]
    assert body["output_fields"]["proc.cmdline"].endswith("…")
    assert body["output_fields"]["fd.name"] == ALERT.fields["fd.name"]


def test_a_store_of_files_gets_the_alert_whole() -> None:
    card = find("aws.s3")
    assert card.largest == WHOLE
    (made,) = plan(card, [MEGABYTE], settings_of(card, CASES["aws.s3"][""]))
    assert json.loads(made.body)["output_fields"]["proc.cmdline"] == MEGABYTE.fields["proc.cmdline"]


def test_a_batch_that_is_too_long_for_a_cloud_is_parted_and_one_bad_message_costs_no_other() -> None:
    calls: list[list[bytes]] = []

    def call(_client: Any, batch: Any) -> Any:
        calls.append([request.body for request in batch])
        if len(batch) > 3 or any(request.body == b"bad" for request in batch):
            raise ClientError({"Error": {"Code": "InvalidParameterException", "Message": "too long"}}, "Put")
        return [delivered()] * len(batch)

    link = Link(AwsSettings(), call)
    link.client = object()
    batch = [Request("Put", "x://", {}, body) for body in (b"1", b"2", b"bad", b"4", b"5", b"6", b"7")]
    answers = link.send(batch)
    assert [answer.outcome is Outcome.DELIVERED for answer in answers] == [True, True, False, *[True] * 4]
    assert [one for part in calls if len(part) < 4 and part != [b"bad"] for one in part if b"bad" not in part] == [
        b"1", b"2", b"4", b"5", b"6", b"7",
    ]  # fmt: skip


def test_a_policy_report_stays_below_what_the_cluster_stores() -> None:
    report: dict[str, Any] = {}
    for number in range(40):
        result = {
            "properties": {"uuid": str(number), "x": "v" * 90_000},
            "result": "fail",
            "severity": "high",
        }
        report = merged(report, [result], ReportSettings(enabled=True))
    assert len(json.dumps(report)) < LARGEST
    assert report["results"][-1]["properties"]["uuid"] == "39"
