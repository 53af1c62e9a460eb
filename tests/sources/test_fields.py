"""Every field of the field's plugins, one by one: what it gives where its key is, and nothing where the key is not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eyas import rules
from eyas.intake import Judge
from eyas.rules import document
from eyas.sources import members
from eyas.transports.parcel import Parcel

REFERENCE = Path(__file__).resolve().parents[3] / "shared/reference/plugin-fields.json"
PLUGINS = ("cloudtrail", "k8saudit", "okta", "github", "gcpaudit")
NONE = "<NA>"
# What makes a record of a source an event, apart from what is asked.
GROUND = {
    "aws_cloudtrail": {"eventTime": "2026-01-31T10:00:00Z", "eventType": "AwsApiCall"},
    "k8s_audit": {"auditID": "1", "stageTimestamp": "2026-01-31T10:00:00Z"},
    "okta": {"published": "2026-01-31T10:00:00.000Z"},
    "github": {"webhook_type": "push"},
    "gcp_auditlog": {"timestamp": "2026-01-31T10:00:00Z"},
    "json": {"time": "2026-01-31T10:00:00Z"},
}
_JSON_PATH = re.compile(r'JSON path ([\w.]+(?:\["[^"]+"\])?(?:\[\])?)(?: \(each serialised as JSON\))?')


def told(source: str, asked: list[str], record: dict[str, Any]) -> list[str]:
    """What an output says of fields on a record."""
    known = members.known()
    text = " ~~ ".join(f"%{field}" for field in asked)
    rule = f"- rule: r\n  desc: d\n  condition: jevt.rawtime exists\n  output: {json.dumps(text, ensure_ascii=False)}\n"
    rule += f"  priority: NOTICE\n  source: {source}\n"
    loaded = rules.load_documents([document.parse("r.yaml", rule)], known, rules.Settings())
    assert not loaded.errors, [problem.text() for problem in loaded.problems]
    found = members.find(source)
    assert found is not None
    body = json.dumps({**GROUND[source], **record}).encode()
    (alert,) = Judge(found, loaded.active, known).judge(Parcel(body, "test")).alerts
    return alert.message.split(" ~~ ")


def at(path: str, value: Any) -> dict[str, Any]:
    """A record with a value at a path of the reference; `[]` stands for a list with this one element."""
    keys: list[str] = []
    if quoted := re.search(r'\["([^"]+)"\]', path):
        keys, path = [quoted[1]], path[: quoted.start()]
    keys = [*path.split("."), *keys]
    for key in reversed(keys):
        value = {key.removesuffix("[]"): [value] if key.endswith("[]") else value}
    return dict(value)


def plain() -> Iterator[tuple[str, str, str, str]]:
    """Fields that the reference derives from one path: source, name, type, path."""
    if not REFERENCE.exists():
        return
    for plugin in PLUGINS:
        facts = json.loads(REFERENCE.read_text())["plugins"][plugin]
        for fact in facts["fields"]:
            found = _JSON_PATH.match(fact["derivation"])
            if found and fact["name"] not in {case[1].partition("[")[0] for case in CASES}:
                yield facts["source"], fact["name"], fact["type"], found[1]


def pod(kind: str = "containers", **container: Any) -> dict[str, Any]:
    return {"requestObject": {"spec": {kind: [container, {"name": "other"}]}}}


def identity(kind: str, **more: Any) -> dict[str, Any]:
    return {"userIdentity": {"type": kind, **more}}


SESSION = {"sessionContext": {"sessionIssuer": {"userName": "admin"}}}
SUBJECTS = {
    "requestObject": {
        "subjects": [
            {"kind": "User", "name": "ann"},
            {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
            {"kind": "Group", "name": "ops"},
        ]
    }
}
ROLE = {
    "requestObject": {
        "rules": [
            {"apiGroups": ["", "apps"], "verbs": ["get"], "resources": ["pods"], "nonResourceURLs": ["/a"]},
            {"apiGroups": ["*"], "verbs": ["*"], "resources": ["*"]},
        ]
    }
}
VOLUMES = {
    "requestObject": {
        "spec": {
            "volumes": [
                {"name": "a", "hostPath": {"path": "/proc/1"}},
                {"name": "b", "flexVolume": {"driver": "x/y"}},
                {"name": "c", "hostPath": {"path": "/etc"}},
            ]
        }
    }
}
PUSH = {
    "webhook_type": "push",
    "repository": {"html_url": "https://github.com/acme/shop"},
    "head_commit": {"id": "c0ffee"},
    "commits": [{"added": ["a", "b"]}, {"modified": ["c"], "removed": ["d"]}],
    "files": [
        {"name": "x.env", "matches": [{"desc": "AWS", "line": 3}, {"desc": "npm", "line": 9}]},
        {"name": "clean", "matches": []},
        {"name": "y.env", "matches": [{"desc": "PyPI", "line": 1}]},
    ],
}
TARGETS = {
    "target": [
        {"type": "User", "id": "u1", "alternateId": "a@x", "displayName": "Ann"},
        {"type": "UserGroup", "id": "g1", "alternateId": "ops", "displayName": "Ops"},
        {"type": "User", "id": "u2", "alternateId": "b@x", "displayName": "Bob"},
        {"type": "AppInstance", "alternateId": "Mail", "displayName": "Mail"},
    ]
}
DELTA = [{"action": "ADD", "member": "allUsers", "role": "roles/viewer"}]
BUCKET = {"bucketName": "data", "key": "a/b"}


# (source, field, record, what the output says)
CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("aws_cloudtrail", "ct.error", {"errorCode": "AccessDenied"}, "AccessDenied"),
    ("aws_cloudtrail", "ct.error", {"errorCode": None}, NONE),
    ("aws_cloudtrail", "ct.shortsrc", {"eventSource": "s3.amazonaws.com"}, "s3"),
    ("aws_cloudtrail", "ct.shortsrc", {"eventSource": "other"}, "other"),
    ("aws_cloudtrail", "ct.user", identity("Root", userName="boss"), "boss"),
    ("aws_cloudtrail", "ct.user", identity("Root"), NONE),
    ("aws_cloudtrail", "ct.user", identity("IAMUser", userName="ann"), "ann"),
    ("aws_cloudtrail", "ct.user", identity("AWSService", invokedBy="ec2.amazonaws.com"), "ec2.amazonaws.com"),
    ("aws_cloudtrail", "ct.user", identity("AssumedRole", **SESSION), "admin"),
    ("aws_cloudtrail", "ct.user", identity("AssumedRole"), "AssumedRole"),
    ("aws_cloudtrail", "ct.user", identity("AWSAccount"), "AWSAccount"),
    ("aws_cloudtrail", "ct.user", identity("FederatedUser"), "FederatedUser"),
    ("aws_cloudtrail", "ct.user", identity("Unheard", userName="x"), NONE),
    ("aws_cloudtrail", "ct.user", {}, NONE),
    ("aws_cloudtrail", "ct.originaluser", identity("AssumedRole", arn="a:b/role/me"), "me"),
    ("aws_cloudtrail", "ct.originaluser", identity("AssumedRole", arn="a/b/c/d", principalId="A:me"), "me"),
    ("aws_cloudtrail", "ct.originaluser", identity("AssumedRole", principalId="AROA:me"), "me"),
    ("aws_cloudtrail", "ct.originaluser", identity("IAMUser", userName="ann"), "ann"),
    ("aws_cloudtrail", "ct.user.accountid", {"recipientAccountId": "2"}, "2"),
    ("aws_cloudtrail", "ct.user.accountid", {**identity("Root", accountId="1"), "recipientAccountId": "2"}, "1"),
    ("aws_cloudtrail", "ct.response", {"responseElements": {"a": [1, True]}}, '{"a":[1,true]}'),
    ("aws_cloudtrail", "ct.request", {"requestParameters": {"a": {"b": None}}}, '{"a":{"b":null}}'),
    ("aws_cloudtrail", "ct.request", {}, NONE),
    ("aws_cloudtrail", "ct.info", {"eventName": "X", "readOnly": True, **identity("IAMUser", userName="ann")}, "ann ← X"),
    ("aws_cloudtrail", "ct.managementevent", {"managementEvent": True}, "true"),
    ("aws_cloudtrail", "ct.readonly", {"readOnly": False}, "false"),
    ("aws_cloudtrail", "ct.readonly", {}, NONE),
    ("aws_cloudtrail", "ct.resources", {"resources": [{"a": 1}, {"b": 2}]}, '{"a":1},{"b":2}'),
    ("aws_cloudtrail", "ct.sessioncredentialfromconsole", {"sessionCredentialFromConsole": True}, "true"),
    ("aws_cloudtrail", "ct.additionaleventdata", {"additionalEventData": {"MFAUsed": "No"}}, '{"MFAUsed":"No"}'),
    ("aws_cloudtrail", "s3.uri", {"requestParameters": BUCKET}, "s3://data/a/b"),
    ("aws_cloudtrail", "s3.uri", {"requestParameters": {"bucketName": "data"}}, NONE),
    ("aws_cloudtrail", "s3.bytes", {"additionalEventData": {"bytesTransferredIn": 7, "bytesTransferredOut": 5.0}}, "12"),
    ("aws_cloudtrail", "s3.bytes", {"additionalEventData": {"bytesTransferredOut": 5}}, "5"),
    ("aws_cloudtrail", "s3.bytes", {"additionalEventData": {}}, NONE),
    ("aws_cloudtrail", "s3.cnt.get", {"eventName": "GetObject"}, "1"),
    ("aws_cloudtrail", "s3.cnt.get", {"eventName": "PutObject"}, NONE),
    ("aws_cloudtrail", "s3.cnt.put", {"eventName": "PutObject"}, "1"),
    ("aws_cloudtrail", "s3.cnt.put", {"eventName": "GetObject"}, NONE),
    ("aws_cloudtrail", "s3.cnt.other", {"eventName": "ListObjects"}, "1"),
    ("aws_cloudtrail", "s3.cnt.other", {"eventName": "GetObject"}, NONE),
    (
        "aws_cloudtrail",
        "ec2.name",
        {
            "requestParameters": {
                "tagSpecificationSet": {
                    "items": [
                        {"resourceType": "volume", "tags": [{"key": "Name", "value": "disk"}]},
                        {"resourceType": "instance", "tags": [{"key": "a", "value": "b"}, {"key": "Name", "value": "web"}]},
                    ]
                }
            }
        },
        "web",
    ),
    ("aws_cloudtrail", "ec2.imageids", {"responseElements": {"instancesSet": {"items": [{"imageId": "i1"}, {"imageId": "i2"}]}}}, "(i1,i2)"),
    ("aws_cloudtrail", "ec2.imageids[1]", {"responseElements": {"instancesSet": {"items": [{"imageId": "i1"}, {"imageId": "i2"}]}}}, "(i2)"),
    ("aws_cloudtrail", "ec2.imageids[2]", {"responseElements": {"instancesSet": {"items": [{"imageId": "i1"}]}}}, NONE),
    ("aws_cloudtrail", "ec2.imageids", {"requestParameters": {"imageId": "i3"}}, "(i3)"),
    ("aws_cloudtrail", "ec2.imageids[0]", {"requestParameters": {"launchSpecification": {"imageId": "i4"}}}, "(i4)"),
    ("aws_cloudtrail", "ec2.imageids[1]", {"requestParameters": {"imageId": "i3"}}, NONE),
    ("aws_cloudtrail", "ec2.imageid", {"requestParameters": {"DescribeFastLaunchImagesRequest": {"ImageId": {"content": "i5"}}}}, "i5"),
    ("k8s_audit", "ka.uri.param[command]", {"requestURI": "/x/exec?command=%2Fbin%2Fsh&command=b&stdin=true"}, "/bin/sh"),
    ("k8s_audit", "ka.uri.param[command]", {"requestURI": "/x?command=ls+-l"}, "ls -l"),
    ("k8s_audit", "ka.uri.param[command]", {"requestURI": "/x?container=c"}, NONE),
    ("k8s_audit", "ka.target.pod.name", {"objectRef": {"resource": "pods"}, "responseObject": {"metadata": {"name": "p"}}}, "p"),
    ("k8s_audit", "ka.target.pod.name", {"objectRef": {"resource": "pods", "subresource": "exec"}, "responseObject": {"metadata": {"name": "p"}}}, NONE),
    ("k8s_audit", "ka.target.pod.name", {"objectRef": {"resource": "nodes"}, "responseObject": {"metadata": {"name": "p"}}}, NONE),
    ("k8s_audit", "ka.user.groups", {"user": {"groups": ["a", "b"]}}, "(a,b)"),
    ("k8s_audit", "ka.user.groups", {"user": {}}, NONE),
    ("k8s_audit", "ka.req.binding.subjects", {"requestObject": {"subjects": [{"kind": "User", "name": "a"}]}}, '({"kind":"User","name":"a"})'),
    ("k8s_audit", "ka.req.binding.subjects.user_names", SUBJECTS, "(ann)"),
    ("k8s_audit", "ka.req.binding.subjects.serviceaccount_names", SUBJECTS, "(bot)"),
    ("k8s_audit", "ka.req.binding.subjects.serviceaccount_ns_names", SUBJECTS, "(ci:bot)"),
    ("k8s_audit", "ka.req.binding.subjects.group_names", SUBJECTS, "(ops)"),
    ("k8s_audit", "ka.req.binding.subjects.group_names", {"requestObject": {}}, NONE),
    ("k8s_audit", "ka.req.binding.subject.has_name[x]", {}, "true"),
    ("k8s_audit", "ka.req.configmap.obj", {"requestObject": {"data": {"a": "b c"}}}, '{"a":"b c"}'),
    ("k8s_audit", "ka.req.container.image", pod(image="a/b:1"), "a/b:1"),
    ("k8s_audit", "ka.req.container.image", {}, NONE),
    ("k8s_audit", "ka.req.container.image.repository", pod(image="a/b:1"), "a/b"),
    ("k8s_audit", "ka.req.container.host_network", {"requestObject": {"spec": {"hostNetwork": True}}}, "true"),
    ("k8s_audit", "ka.req.container.privileged", pod(securityContext={"privileged": True}), "true"),
    ("k8s_audit", "ka.req.container.privileged", pod(image="x"), "false"),
    ("k8s_audit", "ka.req.role.rules", {"requestObject": {"rules": [{"verbs": ["*"]}]}}, '({"verbs":["*"]})'),
    ("k8s_audit", "ka.req.role.rules.apiGroups", ROLE, "(,apps,*)"),
    ("k8s_audit", "ka.req.role.rules.apiGroups[1]", ROLE, "(*)"),
    ("k8s_audit", "ka.req.role.rules.nonResourceURLs", ROLE, "(/a)"),
    ("k8s_audit", "ka.req.role.rules.nonResourceURLs[1]", ROLE, NONE),
    ("k8s_audit", "ka.req.role.rules.verbs", ROLE, "(get,*)"),
    ("k8s_audit", "ka.req.role.rules.verbs[0]", ROLE, "(get)"),
    ("k8s_audit", "ka.req.role.rules.resources", ROLE, "(pods,*)"),
    ("k8s_audit", "ka.req.role.rules.resources[7]", ROLE, NONE),
    ("k8s_audit", "ka.req.pod.supplemental_groups", {"requestObject": {"spec": {"securityContext": {"supplementalGroups": [5, 6]}}}}, "(5,6)"),
    ("k8s_audit", "ka.req.service.ports", {"requestObject": {"spec": {"ports": [{"port": 80}, {"port": 81}]}}}, '({"port":80},{"port":81})'),
    ("k8s_audit", "ka.req.service.ports[1]", {"requestObject": {"spec": {"ports": [{"port": 80}, {"port": 81}]}}}, '({"port":81})'),
    ("k8s_audit", "ka.req.pod.volumes.hostpath", VOLUMES, "(/proc/1,/etc)"),
    ("k8s_audit", "ka.req.pod.volumes.hostpath[2]", VOLUMES, "(/etc)"),
    ("k8s_audit", "ka.req.pod.volumes.hostpath[1]", VOLUMES, NONE),
    ("k8s_audit", "ka.req.volume.hostpath[/etc]", VOLUMES, "true"),
    ("k8s_audit", "ka.req.volume.hostpath[/proc*]", VOLUMES, "true"),
    ("k8s_audit", "ka.req.volume.hostpath[/proc]", VOLUMES, "false"),
    ("k8s_audit", "ka.req.pod.volumes.flexvolume_driver", VOLUMES, "(x/y)"),
    ("k8s_audit", "ka.req.pod.volumes.volume_type", VOLUMES, "(hostPath,flexVolume,hostPath)"),
    ("k8s_audit", "ka.req.pod.volumes.volume_type[1]", VOLUMES, "(flexVolume)"),
    ("k8s_audit", "ka.sourceips", {"sourceIPs": ["10.0.0.1", "10.0.0.2"]}, "(10.0.0.1,10.0.0.2)"),
    ("k8s_audit", "ka.sourceips[1]", {"sourceIPs": ["10.0.0.1", "10.0.0.2"]}, "(10.0.0.2)"),
    ("k8s_audit", "ka.response.code", {"responseStatus": {"code": 403}}, "403"),
    ("okta", "okta.app", {"debugContext": {"debugData": {"requestUri": "/app/mail/x/sso"}}}, "mail"),
    ("okta", "okta.app", {"debugContext": {"debugData": {"requestUri": "/api/v1"}}}, NONE),
    ("okta", "okta.org", {"eyas": {"org": "acme"}}, "acme"),
    ("okta", "okta.client.geo.lat", {"client": {"geographicalContext": {"geolocation": {"lat": 52.5, "lon": 13.4}}}}, "52.5"),
    ("okta", "okta.client.geo.lat", {}, "0"),
    ("okta", "okta.client.geo.lon", {"client": {"geographicalContext": {"geolocation": {"lat": 52.5, "lon": 13.4}}}}, "13.4"),
    ("okta", "okta.authentication.step", {"authenticationContext": {"authenticationStep": 0}}, "0"),
    ("okta", "okta.security.isproxy", {"securityContext": {"isProxy": False}}, "false"),
    *(("okta", f"okta.target.user.{name}", TARGETS, value) for name, value in (("id", "u2"), ("alternateid", "b@x"), ("name", "Bob"))),
    *(("okta", f"okta.target.group.{name}", TARGETS, value) for name, value in (("id", "g1"), ("alternateid", "ops"), ("name", "Ops"))),
    ("okta", "okta.target.group.id", {"target": [{"type": "User", "id": "u"}]}, NONE),
    ("okta", "okta.target.app.alternateid", TARGETS, "Mail"),
    ("okta", "okta.targets.displayName", TARGETS, "(Ann,Ops,Bob,Mail)"),
    ("okta", "okta.targets.displayName[1]", TARGETS, "Ops"),
    ("okta", "okta.targets.displayName[9]", TARGETS, NONE),
    *(
        ("okta", f"okta.mfa.{kind}.countlast[300]", record, value)
        for kind in ("failure", "deny")
        for record, value in (
            ({"eventType": "user.mfa.okta_verify.deny_push", "actor": {"id": "u"}}, "1"),
            ({"eventType": "user.authentication.auth_via_mfa", "outcome": {"result": "FAILURE"}, "actor": {"id": "u"}}, "1"),
            ({"eventType": "user.authentication.auth_via_mfa", "outcome": {"result": "SUCCESS"}, "actor": {"id": "u"}}, NONE),
            ({"eventType": "user.session.start"}, NONE),
        )
    ),
    ("github", "github.type", {"webhook_type": "ping"}, "ping"),
    ("github", "github.repo", PUSH, "https://github.com/acme/shop"),
    ("github", "github.repo.name", PUSH, "acme/shop"),
    ("github", "github.repo.name", {"repository": {"html_url": "https://git.acme.io/acme/shop"}}, "acme/shop"),
    ("github", "github.repo.public", {"repository": {"private": True}}, "false"),
    ("github", "github.repo.public", {"repository": {"private": False}}, "true"),
    ("github", "github.repo.public", {}, "true"),
    ("github", "github.repo.public", {"@timestamp": 1, "visibility": "private"}, "false"),
    ("github", "github.repo.public", {"@timestamp": 1, "visibility": "public"}, "true"),
    ("github", "github.repo.public", {"@timestamp": 1, "repository_public": False}, "false"),
    ("github", "github.repo.public", {"@timestamp": 1, "public_repo": True}, "true"),
    ("github", "github.repo.public", {"@timestamp": 1, "action": "org.add_member"}, NONE),
    ("github", "github.webhook.id", {"hook": {"id": 12345678901}}, "12345678901"),
    ("github", "github.commit.added", PUSH, "a,b"),
    ("github", "github.commit.modified", PUSH, "c"),
    ("github", "github.commit.removed", PUSH, "d"),
    ("github", "github.diff.has_secrets", PUSH, "true"),
    ("github", "github.diff.has_secrets", {"webhook_type": "push", "files": [{"name": "a", "matches": []}]}, "false"),
    ("github", "github.diff.has_secrets", {"webhook_type": "push"}, ""),
    ("github", "github.diff.has_secrets", {**PUSH, "webhook_type": "star"}, NONE),
    ("github", "github.diff.committed_secrets.desc", PUSH, "AWS,npm,PyPI"),
    ("github", "github.diff.committed_secrets.files", PUSH, "x.env,x.env,y.env"),
    ("github", "github.diff.committed_secrets.lines", PUSH, "3,9,1"),
    (
        "github",
        "github.diff.committed_secrets.links",
        PUSH,
        ",".join(f"https://github.com/acme/shop/blob/c0ffee/{end}" for end in ("x.env/#L3", "x.env/#L9", "y.env/#L1")),
    ),
    ("github", "github.workflow.has_miners", {"workflow_miner_detections": {"matches": [{"type": "xmrig"}]}}, "true"),
    ("github", "github.workflow.has_miners", {"workflow_miner_detections": {"matches": []}}, "false"),
    ("github", "github.workflow.has_miners", {}, NONE),
    ("github", "github.workflow.miners.type", {"workflow_miner_detections": {"matches": [{"type": "a"}, {"type": "b"}, {"type": "a"}]}}, "a,b"),
    ("gcp_auditlog", "gcp.authorizationInfo", {"protoPayload": {"authorizationInfo": [{"granted": True}]}}, '[{"granted":true}]'),
    ("gcp_auditlog", "gcp.policyDelta", {"resource": {"type": "gcs_bucket"}, "protoPayload": {"serviceData": {"policyDelta": {"bindingDeltas": DELTA}}}}, json.dumps(DELTA, separators=(",", ":"))),
    ("gcp_auditlog", "gcp.policyDelta", {"resource": {"type": "x"}, "protoPayload": {"metadata": {"datasetChange": {"bindingDeltas": DELTA}}}}, json.dumps(DELTA, separators=(",", ":"))),
    ("gcp_auditlog", "gcp.policyDelta", {}, NONE),
    ("gcp_auditlog", "gcp.request", {"protoPayload": {"request": {"a": 1}}}, '{"a":1}'),
    ("gcp_auditlog", "gcp.location", {"resource": {"labels": {"location": "eu", "region": "x"}}}, "eu"),
    ("gcp_auditlog", "gcp.location", {"resource": {"labels": {"region": "europe-west1"}}}, "europe-west1"),
    ("gcp_auditlog", "gcp.location", {"resource": {"labels": {"zone": "europe-west1-b"}}}, "europe-west1"),
    ("gcp_auditlog", "gcp.logging.sink", {"resource": {"type": "logging_sink", "labels": {"name": "s"}}}, "s"),
    ("gcp_auditlog", "gcp.logging.sink", {"resource": {"type": "x", "labels": {"name": "s"}}}, NONE),
    ("gcp_auditlog", "gcp.resourceLabels", {"resource": {"labels": {"a": "b"}}}, '{"a":"b"}'),
    *(
        (source, f"{kin}.{field}", record, value)
        for kin in ("json", "jevt")
        for source in ("json", "k8s_audit", "okta")
        for field, record, value in (
            ("value[/a/b]", {"a": {"b": "text"}}, "text"),
            ("value[a/b]", {"a": {"b": "text"}}, "text"),
            ("value[/a/1]", {"a": ["x", "y"]}, "y"),
            ("value[/a/2]", {"a": ["x", "y"]}, NONE),
            ("value[/a]", {"a": ["x", {"y": 1}]}, '["x",{"y":1}]'),
            ("value[/a]", {"a": 1.50}, "1.5"),
            ("value[/a]", {"a": True}, "true"),
            ("value[/a]", {"a": None}, "null"),
            ("value[/a]", {"a": ""}, ""),
            ("value[/a]", {}, NONE),
            ("value[/a~1b/c~0d]", {"a/b": {"c~d": "escaped"}}, "escaped"),
            ("value[\"/a b/ü\"]", {"a b": {"ü": "letters"}}, "letters"),
        )
    ),
    ("json", "json.value[/]", {"time": "2026-01-31T10:00:00Z"}, '{"time":"2026-01-31T10:00:00Z"}'),
    ("json", "json.rawtime", {}, "1769853600000000000"),
    ("json", "jevt.rawtime", {}, "1769853600000000000"),
]  # fmt: skip

for _kind in ("containers", "initContainers", "ephemeralContainers"):
    for _name, _container, _value in (
        ("args", {"args": ["-c", "id"]}, "-c id"),
        ("command", {"command": ["sh", "-x"]}, "sh -x"),
        ("name", {"name": "first"}, None),
        ("image", {"image": "r:5000/a/b:1"}, "r:5000/a/b:1"),
        ("image.repository", {"image": "r.io/a/b:1"}, "r.io/a/b"),
        ("image.repository", {"image": "b@sha256:00"}, "b"),
        ("image.repository", {"image": "r.io:5000/a/b:1@sha256:00"}, "r.io:5000/a/b"),
        ("host_port", {"ports": [{"hostPort": 80, "containerPort": 8080}, {"containerPort": 9090}]}, "80,9090"),
        ("privileged", {"securityContext": {"privileged": True}}, "true"),
        ("allow_privilege_escalation", {"securityContext": {"allowPrivilegeEscalation": False}}, "false"),
        ("read_only_fs", {"securityContext": {"readOnlyRootFilesystem": True}}, "true"),
        ("run_as_user", {"securityContext": {"runAsUser": 0}}, "0"),
        ("run_as_group", {"securityContext": {"runAsGroup": 7}}, "7"),
        ("proc_mount", {"securityContext": {"procMount": "Unmasked"}}, "Unmasked"),
        ("add_capabilities", {"securityContext": {"capabilities": {"add": ["NET_ADMIN", "SYS_TIME"]}}}, '["NET_ADMIN","SYS_TIME"]'),
    ):  # fmt: skip
        _field = f"ka.req.pod.{_kind}.{_name}"
        if _value is None:
            CASES.append(("k8s_audit", _field, pod(_kind, **_container), "(first,other)"))
            CASES.append(("k8s_audit", f"{_field}[1]", pod(_kind, **_container), "(other)"))
            continue
        CASES.append(("k8s_audit", _field, pod(_kind, **_container), f"({_value})"))
        CASES.append(("k8s_audit", f"{_field}[0]", pod(_kind, **_container), f"({_value})"))
        CASES.append(("k8s_audit", f"{_field}[1]", pod(_kind, **_container), NONE))
        CASES.append(("k8s_audit", _field, {"requestObject": {"spec": {}}}, NONE))
    for _name, _key in (("eff_run_as_user", "runAsUser"), ("eff_run_as_group", "runAsGroup")):
        _field = f"ka.req.pod.{_kind}.{_name}"
        CASES.append(("k8s_audit", _field, pod(_kind, securityContext={_key: 5}), "(5,0)"))
        CASES.append(("k8s_audit", f"{_field}[1]", pod(_kind, securityContext={_key: 5}), "(0)"))
        _both = pod(_kind, securityContext={_key: 5})
        _both["requestObject"]["spec"]["securityContext"] = {_key: 9}
        CASES.append(("k8s_audit", _field, _both, "(5,9)"))


@pytest.mark.parametrize("source", GROUND)
def test_fields_give_what_a_record_says(source: str) -> None:
    wrong = []
    for _, field, record, value in (case for case in CASES if case[0] == source):
        (found,) = told(source, [field], record)
        if found != value:
            wrong.append(f"{field} of {json.dumps(record)[:100]}: {found}, expected {value}")
    assert not wrong, "\n".join(wrong)


def test_fields_of_one_path_give_the_value_there_and_nothing_else() -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is missing")
    wrong = []
    for source, name, kind, path in plain():
        value = 7 if kind == "uint64" else "some text"
        expected = [str(value), "7", NONE, NONE]
        records = [at(path, value), at(path, 7), at(path, None), {}]
        if path in GROUND[source]:
            expected, records = expected[:1], records[:1]
            if name in ("ct.time", "okta.published", "gcp.time"):
                expected, records = [GROUND[source][path]], [{}]
        for record, says in zip(records, expected, strict=True):
            (found,) = told(source, [name], record)
            if found not in (says, f"({says})"):
                wrong.append(f"{name} of {record}: {found}, expected {says}")
    assert not wrong, "\n".join(wrong)


def test_no_field_of_the_field_is_left_untried() -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is missing")
    tried = {case[1].partition("[")[0] for case in CASES} | {name for _, name, _, _ in plain()}
    facts = json.loads(REFERENCE.read_text())["plugins"]
    assert {fact["name"] for plugin in PLUGINS for fact in facts[plugin]["fields"]} - tried == set()
