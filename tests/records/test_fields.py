"""Fields of log sources: names and types are those of the field's plugins, values are what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eyas.sources import members
from tests.records.conftest import Judge

REFERENCE = Path(__file__).parents[3] / "shared/reference/plugin-fields.json"
TYPES = {"string": "text", "uint64": "uint"}

CALL = {
    "eventTime": "2023-05-04T10:11:12Z",
    "eventType": "AwsApiCall",
    "eventName": "PutObject",
    "eventSource": "s3.amazonaws.com",
    "sourceIPAddress": "198.51.100.7",
    "readOnly": False,
    "userIdentity": {"type": "IAMUser", "userName": "ana", "accountId": "123456789012"},
    "requestParameters": {"bucketName": "logs", "key": "a/b"},
    "additionalEventData": {"bytesTransferredIn": 10, "bytesTransferredOut": 2.0},
}
POD = {
    "stageTimestamp": "2023-05-04T10:11:12.5Z",
    "verb": "create",
    "requestURI": "/api/v1/namespaces/x/pods?dryRun=All",
    "objectRef": {"resource": "pods", "name": "web"},
    "requestObject": {
        "spec": {
            "securityContext": {"runAsUser": 7},
            "containers": [
                {
                    "name": "a",
                    "image": "registry:5000/team/a:1",
                    "args": ["-c", "id"],
                    "securityContext": {"privileged": True, "runAsUser": 0},
                    "ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}],
                },
                {"name": "b", "image": "b@sha256:00"},
            ],
            "volumes": [{"name": "v", "hostPath": {"path": "/etc/x"}}, {"name": "w", "emptyDir": {}}],
        }
    },
    "responseObject": {"metadata": {"name": "web-1"}},
}


def call(**changes: Any) -> dict[str, Any]:
    return {**CALL, **changes}


@pytest.mark.parametrize(("plugin", "source"), [("cloudtrail", "aws_cloudtrail"), ("k8saudit", "k8s_audit")])
def test_every_field_of_the_plugin_is_there_with_its_type(plugin: str, source: str) -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is missing: the fields of the plugins are not here to compare with")
    known = members.known().of_source(source)
    assert known is not None
    for wanted in json.loads(REFERENCE.read_text())["plugins"][plugin]["fields"]:
        have = known.fields[wanted["name"]]
        kinds = wanted.get("arg", {"kinds": ["none"], "required": False})
        assert (have.type, have.list) == (TYPES[wanted["type"]], wanted["list"]), have.name
        assert (have.arg, have.required) == ("_or_".join(kinds["kinds"]), kinds["required"]), have.name


@pytest.mark.parametrize(
    ("output", "record", "message"),
    [
        ("%ct.user %ct.shortsrc %ct.region", call(), "ana s3 <NA>"),
        ("%ct.user.accountid", call(userIdentity={}, recipientAccountId="1"), "1"),
        ("%ct.user", call(userIdentity={"type": "AssumedRole"}), "AssumedRole"),
        ("%ct.user", call(userIdentity={"type": "AWSService", "invokedBy": "ec2"}), "ec2"),
        ("%ct.user", call(userIdentity={"type": "Unknown"}), "<NA>"),
        (
            "%ct.originaluser",
            call(userIdentity={"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/admin/ana"}),
            "ana",
        ),
        ("%s3.uri %s3.bytes %s3.cnt.put %s3.cnt.get", call(), "s3://logs/a/b 12 1 <NA>"),
        ("%ct.readonly %ct.request", call(), 'false {"bucketName":"logs","key":"a/b"}'),
        ("%ct.info", call(errorCode="X"), "ana via 198.51.100.7 ! → PutObject Size=12"),
        ("%evt.plugininfo", call(), "ana via 198.51.100.7 → PutObject Size=12"),
        ("%ct.resources", call(resources=[{"a": 1}, {"b": 2}]), '{"a":1},{"b":2}'),
        ("%json.value[/requestParameters/key] %jevt.rawtime", call(), "a/b 1683195072000000000"),
        ("%evt.source %evt.pluginname %evt.num", call(), "aws_cloudtrail cloudtrail 1"),
        (
            "%ec2.imageids %ec2.imageids[1] %ec2.imageid",
            call(responseElements={"instancesSet": {"items": [{"imageId": "a"}, {"imageId": "b"}]}}),
            "(a,b) (b) a",
        ),
        (
            "%ec2.name",
            call(
                requestParameters={
                    "tagSpecificationSet": {
                        "items": [
                            {"resourceType": "volume", "tags": [{"key": "Name", "value": "no"}]},
                            {"resourceType": "instance", "tags": [{"key": "Name", "value": "yes"}]},
                        ]
                    }
                }
            ),
            "yes",
        ),
    ],
)
def test_fields_of_cloudtrail(judge: Judge, output: str, record: dict[str, Any], message: str) -> None:
    assert [a.message for a in judge("aws_cloudtrail", "evt.num > 0", record, output=output)] == [message]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("%ka.req.pod.containers.image", "(registry:5000/team/a:1,b@sha256:00)"),
        ("%ka.req.pod.containers.image.repository", "(registry:5000/team/a,b)"),
        ("%ka.req.pod.containers.image[1]", "(b@sha256:00)"),
        ("%ka.req.container.image.repository", "registry:5000/team/a"),
        ("%ka.req.pod.containers.args", "(-c id)"),
        ("%ka.req.pod.containers.privileged", "(true)"),
        ("%ka.req.container.privileged", "true"),
        ("%ka.req.pod.containers.host_port", "(80,8081)"),
        ("%ka.req.pod.containers.eff_run_as_user", "(0,7)"),
        ("%ka.req.pod.containers.eff_run_as_user[1]", "(7)"),
        ("%ka.req.pod.volumes.volume_type", "(hostPath,emptyDir)"),
        ("%ka.req.volume.hostpath[/etc*] %ka.req.volume.hostpath[/etc]", "true false"),
        ("%ka.target.pod.name", "web-1"),
        ("%ka.uri.param[dryRun] %ka.uri.param[watch]", "All <NA>"),
    ],
)
def test_fields_of_the_kubernetes_audit(judge: Judge, output: str, message: str) -> None:
    assert [a.message for a in judge("k8s_audit", "ka.verb = create", POD, output=output)] == [message]


def test_subjects_of_a_binding_are_told_apart(judge: Judge) -> None:
    subjects = [
        {"kind": "User", "name": "ana"},
        {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
        {"kind": "Group", "name": "ops"},
    ]
    record = {"stageTimestamp": "2023-05-04T10:11:12Z", "requestObject": {"subjects": subjects}}
    output = (
        "%ka.req.binding.subjects.user_names %ka.req.binding.subjects.serviceaccount_ns_names "
        "%ka.req.binding.subjects.group_names"
    )
    found = judge("k8s_audit", "ka.req.binding.subjects exists", record, output=output)
    assert [a.message for a in found] == ["(ana) (ci:bot) (ops)"]


def test_an_absent_field_makes_every_comparison_false(judge: Judge) -> None:
    record = {"stageTimestamp": "2023-05-04T10:11:12Z", "verb": "get"}
    for condition, holds in [
        ("ka.user.name != root", False),
        ("not ka.user.name = root", True),
        ("ka.user.name exists", False),
        ("ka.user.groups intersects (a)", False),
        ("ka.verb != list", True),
    ]:
        assert bool(judge("k8s_audit", condition, record)) is holds, condition


def test_in_wants_every_value_of_a_list_and_intersects_wants_one(judge: Judge) -> None:
    record = {"stageTimestamp": "2023-05-04T10:11:12Z", "user": {"groups": ["a", "b"]}}
    for condition, holds in [
        ("ka.user.groups in (a, b, c)", True),
        ("ka.user.groups in (a)", False),
        ("ka.user.groups intersects (a)", True),
        ("ka.user.groups intersects (c)", False),
    ]:
        assert bool(judge("k8s_audit", condition, record)) is holds, condition
