"""Logs to measure with: events as services write them, and as many rules as people run over them."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# (name, condition) in the manner of the rules that people run.
CLOUDTRAIL_RULES = (
    ("every event", 'ct.name = "never"'),
    (
        "console login through a role",
        'ct.name = "ConsoleLogin" and not ct.error exists and ct.user.identitytype = "AssumedRole" '
        'and json.value[/responseElements/ConsoleLogin] = "Success"',
    ),
    (
        "console login without MFA",
        'ct.name = "ConsoleLogin" and not ct.error exists and ct.user.identitytype != "AssumedRole" '
        'and json.value[/responseElements/ConsoleLogin] = "Success" '
        'and json.value[/additionalEventData/MFAUsed] = "No"',
    ),
    (
        "root login without MFA",
        'ct.name = "ConsoleLogin" and not ct.error exists and ct.user.identitytype = "Root" '
        'and json.value[/additionalEventData/MFAUsed] = "No"',
    ),
    (
        "MFA of root off",
        'ct.name = "DeactivateMFADevice" and not ct.error exists and ct.user.identitytype = "Root" '
        'and ct.request.username = "AWS ROOT USER"',
    ),
    ("user made", 'ct.name = "CreateUser" and not ct.error exists'),
    ("group made", 'ct.name = "CreateGroup" and not ct.error exists'),
    ("group deleted", 'ct.name = "DeleteGroup" and not ct.error exists'),
    ("service made", 'ct.src = "ecs.amazonaws.com" and ct.name = "CreateService" and not ct.error exists'),
    (
        "task started",
        'ct.src = "ecs.amazonaws.com" and (ct.name = "RunTask" or ct.name = "StartTask") and not ct.error exists',
    ),
    ("function made", 'ct.name = "CreateFunction20150331" and not ct.error exists'),
    ("code changed", 'ct.name = "UpdateFunctionCode20150331v2" and not ct.error exists'),
    ("settings changed", 'ct.name = "UpdateFunctionConfiguration20150331v2" and not ct.error exists'),
    ("machines started", 'ct.name = "RunInstances" and not ct.error exists'),
    (
        "machines elsewhere",
        'ct.name = "RunInstances" and not ct.error exists and not ct.region in (eu-west-1, eu-central-1)',
    ),
    ("encryption off", 'ct.name = "DeleteBucketEncryption" and not ct.error exists'),
    (
        "bucket open",
        'ct.name = "PutBucketPublicAccessBlock" and not ct.error exists and '
        "(json.value[/requestParameters/publicAccessBlock] = "
        "false or json.value[/requestParameters/PublicAccessBlockConfiguration/BlockPublicAcls] = false or "
        "json.value[/requestParameters/PublicAccessBlockConfiguration/BlockPublicPolicy] = false)",
    ),
    ("buckets listed", 'ct.name = "ListBuckets" and not ct.error exists'),
    ("bucket rights", 'ct.name = "PutBucketAcl" and not ct.error exists'),
    ("bucket policy", 'ct.name = "PutBucketPolicy" and not ct.error exists'),
    ("trail made", 'ct.name = "CreateTrail" and not ct.error exists'),
    ("trail off", 'ct.name = "StopLogging" and not ct.error exists'),
)

_DONE = "jevt.value[/stage] = ResponseComplete"
_POD = f"{_DONE} and ka.verb = create and ka.target.resource = pods and not ka.target.subresource exists"
_KNOWN = 'ka.req.pod.containers.image.repository in ("registry.k8s.io/pause", "docker.io/falco", "coredns")'


_KINDS = (
    "deployments", "services", "configmaps", "namespaces", "serviceaccounts", "roles", "clusterroles",
    "rolebindings", "clusterrolebindings", "secrets",
)  # fmt: skip
_CLUSTER_ROLE = f"{_DONE} and ka.target.resource = clusterroles"
_MADE = f"{_DONE} and ka.verb = create"

KUBERNETES_RULES = (
    *(
        (
            f"{kind} {verb}",
            f"{_DONE} and ka.verb = {verb} and ka.target.resource = {kind} "
            'and ka.response.code startswith "2" and not ka.user.name startswith "system:"',
        )
        for kind in _KINDS
        for verb in ("create", "delete")
    ),
    *(
        (f"host {name}", f"{_POD} and ka.req.pod.host_{name} = true and not {_KNOWN}")
        for name in ("network", "pid", "ipc")
    ),
    *(
        (name, f"jevt.value[/stage] = ResponseStarted and ka.target.subresource = {name}")
        for name in ("exec", "attach", "portforward", "ephemeralcontainers")
    ),
    *(
        (f"privileged {kind}", f"{_POD} and ka.req.pod.{kind}.privileged intersects (true) and not {_KNOWN}")
        for kind in ("containers", "initContainers", "ephemeralContainers")
    ),
    (
        "unknown user",
        f'{_DONE} and ka.user.name exists and not ka.user.name startswith "system:" and not ka.user.name in (admin, ops)',
    ),
    ("mount", f"{_POD} and ka.req.pod.volumes.hostpath intersects (/proc, /, /etc, /root) and not {_KNOWN}"),
    ("node port", f"{_DONE} and ka.target.resource = services and ka.req.service.type = NodePort"),
    (
        "credentials",
        f"{_DONE} and ka.target.resource = configmaps and ka.verb in (create, update, patch) and "
        '(ka.req.configmap.obj contains "aws_access_key_id" or ka.req.configmap.obj contains "password")',
    ),
    (
        "anonymous",
        f"{_DONE} and ka.user.name = system:anonymous and ka.auth.decision = allow and not ka.uri in (/healthz, /livez)",
    ),
    (
        "namespace",
        f"{_MADE} and ka.target.resource = namespaces and not ka.target.name in (kube-system, default)",
    ),
    ("pod in kube", f"{_POD} and ka.target.namespace in (kube-system, kube-public) and not {_KNOWN}"),
    (
        "account in kube",
        f"{_MADE} and ka.target.resource = serviceaccounts and ka.target.namespace = kube-system",
    ),
    (
        "system role",
        f'{_CLUSTER_ROLE} and ka.verb in (update, patch, delete) and ka.target.name startswith "system:"',
    ),
    (
        "cluster admin",
        f"{_MADE} and ka.target.resource = clusterrolebindings and ka.req.binding.role = cluster-admin",
    ),
    ("wildcard resource", f'{_CLUSTER_ROLE} and ka.req.role.rules.resources intersects ("*")'),
    ("wildcard verb", f'{_CLUSTER_ROLE} and ka.req.role.rules.verbs intersects ("*")'),
    (
        "writing role",
        f"{_CLUSTER_ROLE} and ka.req.role.rules.verbs intersects (create, update, patch, delete)",
    ),
    ("exec role", f'{_CLUSTER_ROLE} and ka.req.role.rules.resources intersects ("pods/exec")'),
    ("secret read", f"{_DONE} and ka.verb = get and ka.target.resource = secrets and ka.response.code = 200"),
    (
        "secret tried",
        f'{_DONE} and ka.verb = get and ka.target.resource = secrets and not ka.response.code startswith "2"',
    ),
    (
        "ingress",
        f"{_MADE} and ka.target.resource = ingresses and not jevt.value[/requestObject/spec/tls] exists",
    ),
    ("node", f"{_MADE} and ka.target.resource = nodes and ka.response.code = 201"),
)


def _time(number: int) -> str:
    return f"2024-03-0{1 + number % 9}T{number % 24:02}:{number % 60:02}:{number * 7 % 60:02}Z"


def cloudtrail(count: int) -> bytes:
    """Give a packed file of a trail; about 1.3 kB an event."""
    chance = random.Random(1)
    calls = (
        ("ec2", "DescribeInstances"), ("s3", "GetObject"), ("s3", "ListObjects"), ("sts", "AssumeRole"),
        ("kms", "Decrypt"), ("logs", "PutLogEvents"), ("dynamodb", "DescribeTable"), ("iam", "GetRole"),
        ("ecs", "DescribeTasks"), ("lambda", "ListFunctions20150331"), ("ec2", "RunInstances"), ("iam", "CreateUser"),
    )  # fmt: skip
    weights = [30, 20, 10, 15, 8, 6, 4, 4, 2, 1, 0.01, 0.01]
    made = [
        _call(number, chance, *chance.choices(calls, weights)[0], chance.randbytes(16).hex())
        for number in range(count)
    ]
    return gzip.compress(json.dumps({"Records": made}, separators=(",", ":")).encode())


def _call(number: int, chance: random.Random, service: str, name: str, unique: str) -> dict[str, Any]:
    account = f"{100000000000 + chance.randrange(20)}"
    role = f"role-{chance.randrange(50)}"
    key = chance.randbytes(8).hex().upper()
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROA{key}:i-{unique[:17]}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/i-{unique[:17]}",
            "accountId": account,
            "accessKeyId": f"ASIA{key}",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": f"AROA{key}",
                    "arn": f"arn:aws:iam::{account}:role/{role}",
                    "accountId": account,
                    "userName": role,
                },
                "webIdFederationData": {},
                "attributes": {"creationDate": _time(number), "mfaAuthenticated": "false"},
            },
        },
        "eventTime": _time(number),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": chance.choice(("eu-west-1", "us-east-1", "eu-central-1")),
        "sourceIPAddress": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
        "userAgent": "aws-sdk-go-v2/1.17.1 os/linux lang/go#1.19.1 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.63.1",
        "requestParameters": {
            "bucketName": f"data-{chance.randrange(90)}",
            "key": f"year=2024/month=03/part-{number:08}-{unique}.parquet",
            "filterSet": {
                "items": [{"name": "instance-state-name", "valueSet": {"items": [{"value": "running"}]}}]
            },
        },
        "responseElements": None,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "bytesTransferredOut": chance.randrange(1 << 20),
        },
        "requestID": f"{unique[:8]}-{unique[8:12]}-4a7d-9c3b-{unique[12:24]}",
        "eventID": f"{unique[8:16]}-{unique[4:8]}-4e21-8f11-{unique[20:32]}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.eu-west-1.amazonaws.com",
        },
    }


def kubernetes(count: int) -> bytes:
    """Give JSON lines of an API server; about 2 kB an event."""
    chance = random.Random(2)
    lines = [json.dumps(_request(number, chance), separators=(",", ":")) for number in range(count)]
    return "\n".join(lines).encode() + b"\n"


def _request(number: int, chance: random.Random) -> dict[str, Any]:
    verb = chance.choices(("get", "list", "watch", "update", "patch", "create"), (30, 10, 15, 25, 15, 5))[0]
    kind = chance.choice(("pods", "leases", "endpoints", "configmaps", "nodes", "events", "deployments"))
    name = f"{kind}-{chance.randrange(1000)}"
    namespace = chance.choice(("default", "kube-system", "shop", "billing"))
    unique = chance.randbytes(16).hex()
    labels = {f"app.kubernetes.io/{word}": f"{word}-{unique[:8]}" for word in ("name", "instance", "version")}
    container = {
        "name": "main",
        "image": f"registry.example.com/team/{name}:v{number % 40}",
        "env": [{"name": f"SETTING_{n}", "value": unique[n:]} for n in range(4)],
        "resources": {
            "limits": {"cpu": "500m", "memory": "128Mi"},
            "requests": {"cpu": "250m", "memory": "64Mi"},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }
    meta = {
        "name": name,
        "namespace": namespace,
        "uid": unique,
        "labels": labels,
        "resourceVersion": str(number),
    }
    body = {"kind": kind, "apiVersion": "v1", "metadata": meta, "spec": {"containers": [container]}}
    made = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": unique,
        "stage": "ResponseComplete",
        "requestURI": f"/api/v1/namespaces/{namespace}/{kind}/{name}?timeout=10s",
        "verb": verb,
        "user": {
            "username": f"system:serviceaccount:{namespace}:{kind}-controller",
            "uid": unique[::-1],
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{namespace}",
                "system:authenticated",
            ],
        },
        "sourceIPs": [f"10.0.{chance.randrange(256)}.{chance.randrange(256)}"],
        "userAgent": "kube-controller-manager/v1.29.2 (linux/amd64) kubernetes/4b8e819/system:serviceaccount",
        "objectRef": {"resource": kind, "namespace": namespace, "name": name, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestObject": body if verb in ("create", "update", "patch") else None,
        "responseObject": body,
        "requestReceivedTimestamp": _time(number),
        "stageTimestamp": _time(number),
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": f'RBAC: allowed by ClusterRoleBinding "{kind}-controller" of ClusterRole',
        },
    }
    return {key: value for key, value in made.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Load:
    """What is measured: a file of records and rules over them."""

    source: str
    name: str
    body: bytes
    records: int
    rules: bytes


def loads(records: int = 20_000) -> Iterator[Load]:
    """Give the loads, one after another."""
    for source, name, body, rules in (
        ("aws_cloudtrail", "trail.json.gz", cloudtrail, CLOUDTRAIL_RULES),
        ("k8s_audit", "audit.json", kubernetes, KUBERNETES_RULES),
    ):
        yield Load(source, name, body(records), records, _file(source, rules))


def _file(source: str, rules: tuple[tuple[str, str], ...]) -> bytes:
    made = [
        {
            "rule": name,
            "desc": name,
            "source": source,
            "condition": condition,
            "output": f"{name} %evt.time %evt.plugininfo",
            "priority": "NOTICE",
        }
        for name, condition in rules
    ]
    return json.dumps(made).encode()
