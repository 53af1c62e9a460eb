"""Every other rule that people run over these sources, in its shape: loads without a warning, holds on its event alone.

Each row: what the rule is about, its condition, an event on which it holds, and one on which it does not. The rules with
more to them stand in `published/`.
"""

import json
from typing import Any

import pytest

from eyas import rules
from eyas.intake import Judge
from eyas.rules import document
from eyas.sources import members
from eyas.transports.parcel import Parcel
from tests.sources.test_fields import GROUND

Row = tuple[str, str, dict[str, Any], dict[str, Any]]


def call(name: str, source: str = "iam.amazonaws.com", **more: Any) -> dict[str, Any]:
    return {"eventName": name, "eventSource": source, **more}


def trail() -> list[Row]:
    """One call each; a call that failed is none."""
    names = (
        "CreateUser", "CreateGroup", "DeleteGroup", "CreateFunction20150331", "UpdateFunctionCode20150331v2",
        "UpdateFunctionConfiguration20150331v2", "RunInstances", "DeleteBucketEncryption", "ListBuckets", "PutBucketAcl",
        "PutBucketPolicy", "CreateTrail",
    )  # fmt: skip
    rows: list[Row] = [
        (name, f'ct.name="{name}" and not ct.error exists', call(name), call(name, errorCode="AccessDenied"))
        for name in names
    ]
    ecs = 'ct.src="ecs.amazonaws.com" and ct.name="CreateService" and not ct.error exists'
    return [*rows, ("ECS", ecs, call("CreateService", "ecs.amazonaws.com"), call("CreateService"))]


def repository() -> list[Row]:
    def hook(kind: str, action: str, private: bool = False) -> dict[str, Any]:
        return {
            "webhook_type": kind,
            "action": action,
            "repository": {"private": private, "html_url": "https://x/a/b"},
        }

    def about(kind: str, action: str) -> str:
        return f"github.type={kind} and github.action={action}"

    plain = [
        (f"{kind} {action}", about(kind, action), hook(kind, action), hook(kind, "edited"))
        for kind, action in (
            ("repository", "privatized"), ("repository", "created"), ("repository", "deleted"),
            ("deploy_key", "created"), ("deploy_key", "deleted"), ("member", "removed"),
        )
    ]  # fmt: skip
    public = f"{about('repository', 'created')} and github.repo.public=true"
    secret = "github.type=push and github.diff.has_secrets=true and github.repo.public=false"
    push = {**hook("push", "", True), "files": [{"name": "a", "matches": [{"desc": "d", "line": 1}]}]}
    return [
        *plain,
        ("public", public, hook("repository", "created"), hook("repository", "created", True)),
        ("secret", secret, push, {**push, "repository": {"private": False}}),
    ]


def people() -> list[Row]:
    names = (
        "user.authentication.sso", "user.lifecycle.unsuspend", "user.lifecycle.activate", "user.lifecycle.deactivate",
        "user.account.privilege.grant", "system.api_token.create", "user.session.access_admin_app",
        "group.user_membership.add", "user.mfa.factor.deactivate", "user.mfa.factor.reset_all",
        "user.account.reset_password", "application.user_membership.add",
    )  # fmt: skip
    other = {"eventType": "user.session.start"}
    return [(name, f'okta.evt.type = "{name}"', {"eventType": name}, other) for name in names]


def google() -> list[Row]:
    methods = {
        "cloudsql.googleapis.com": ("users.update", "users.delete", "backupRuns.delete", "instances.export", "instances.create"),
        "storage.googleapis.com": ("buckets.list", "buckets.delete", "buckets.update", "setIamPermissions"),
        "compute.googleapis.com": (
            "instances.setMetadata", "firewalls.patch", "securityPolicies.patch", "securityPolicies.removeRule",
            "networkEdgeSecurityServices.patch", "backendServices.delete",
        ),
        "iam.googleapis.com": (
            "CreateServiceAccount", "DeleteServiceAccount", "PatchServiceAccount", "DeleteServiceAccountKey",
            "CreateRole", "UpdateRole", "SetIamPolicy",
        ),
        "cloudfunctions.googleapis.com": ("CreateFunction", "DeleteFunction", "UpdateFunction"),
        "cloudkms.googleapis.com": ("CreateKeyRing", "CreateCryptoKey", "UpdateCryptoKey"),
        "pubsub.googleapis.com": ("Subscriber.UpdateSubscription", "Subscriber.DeleteSubscription"),
        "logging.googleapis.com": ("ConfigServiceV2.UpdateSink",),
    }  # fmt: skip

    def entry(service: str, method: str) -> dict[str, Any]:
        return {"protoPayload": {"serviceName": service, "methodName": f"google.v1.{method}"}}

    rows: list[Row] = [
        (
            f"{service} {method}",
            f'gcp.serviceName="{service}" and gcp.methodName endswith "{method}"',
            entry(service, method),
            entry("other.googleapis.com", method),
        )
        for service, some in methods.items()
        for method in some
    ]
    delta = {"serviceData": {"policyDelta": {"bindingDeltas": [{"action": "ADD", "member": "allUsers"}]}}}
    objects = {
        "resource": {"type": "gcs_bucket"},
        "protoPayload": {"methodName": "storage.objects.update", **delta},
    }
    public = (
        'gcp.methodName="storage.objects.update" and gcp.policyDelta contains "ADD" and '
        '(gcp.policyDelta contains "allUsers" or gcp.policyDelta contains "allAuthenticatedUsers")'
    )
    return [
        *rows,
        ("objects", public, objects, {**objects, "protoPayload": {"methodName": "storage.objects.update"}}),
    ]


DONE = "jevt.value[/stage] in (ResponseComplete)"


def request(verb: str, resource: str, **more: Any) -> dict[str, Any]:
    ref = {"resource": resource, **more.pop("ref", {})}
    spec = {"requestObject": {"spec": more.pop("spec")}} if "spec" in more else {}
    code = {"code": more.pop("code", 201)}
    made = {
        "verb": verb,
        "objectRef": ref,
        "responseStatus": code,
        "user": {"username": "ann"},
        **spec,
        **more,
    }
    return {"stage": "ResponseComplete", **made}


def changed() -> list[Row]:
    kinds = (
        "deployments", "services", "configmaps", "namespaces", "serviceaccounts", "roles", "clusterroles",
        "rolebindings", "clusterrolebindings", "secrets",
    )  # fmt: skip
    return [
        (
            f"{kind} {verb}",
            f"{DONE} and ka.verb={verb} and ka.target.resource={kind} and ka.response.code startswith 2",
            request(verb, kind),
            request(verb, kind, code=403),
        )
        for kind in kinds
        for verb in ("create", "delete")
    ]


def cluster() -> list[Row]:
    pod = f"{DONE} and ka.target.resource=pods and not ka.target.subresource exists and ka.verb=create"
    image = "not ka.req.pod.containers.image.repository in (trusted, also.io/trusted)"
    some = {"containers": [{"image": "x:1"}]}
    rule = {"requestObject": {"rules": [{"resources": ["pods/exec"], "verbs": ["create"]}]}}
    role = f"{DONE} and ka.target.resource=clusterroles and ka.verb=create"
    return [
        *changed(),
        *(
            (
                f"host {name}",
                f"{pod} and ka.req.pod.host_{name} intersects (true) and {image}",
                request("create", "pods", spec={**some, key: True}),
                request("create", "pods", spec={"containers": [{"image": "trusted@sha256:0"}], key: True}),
            )
            for name, key in (("pid", "hostPID"), ("ipc", "hostIPC"))
        ),
        (
            "node port",
            f"{DONE} and ka.target.resource=services and ka.verb=create and ka.req.service.type=NodePort",
            request("create", "services", spec={"type": "NodePort"}),
            request("create", "services", spec={"type": "ClusterIP"}),
        ),
        *(
            (
                name,
                f"jevt.value[/stage]=ResponseStarted and ka.target.subresource in ({name})",
                {**request("create", "pods", ref={"subresource": name}), "stage": "ResponseStarted"},
                request("create", "pods", ref={"subresource": name}),
            )
            for name in ("portforward", "ephemeralcontainers")
        ),
        (
            "namespace",
            f"{DONE} and ka.target.resource=namespaces and ka.verb=create and not ka.target.name in (kube-system)",
            request("create", "namespaces", ref={"name": "x"}),
            request("create", "namespaces", ref={"name": "kube-system"}),
        ),
        (
            "pod in kube",
            f"{pod} and ka.target.namespace in (kube-system, kube-public) and {image}",
            request("create", "pods", ref={"namespace": "kube-system"}, spec=some),
            request("create", "pods", ref={"namespace": "shop"}, spec=some),
        ),
        (
            "account in kube",
            f"{DONE} and ka.target.resource=serviceaccounts and ka.verb=create and ka.target.namespace in "
            "(kube-system, kube-public) and not ka.target.name in (known)",
            request("create", "serviceaccounts", ref={"namespace": "kube-public", "name": "x"}),
            request("create", "serviceaccounts", ref={"namespace": "kube-public", "name": "known"}),
        ),
        (
            "system role",
            f"{DONE} and (ka.target.resource=roles or ka.target.resource=clusterroles) and ka.verb in (update, delete) "
            'and (ka.target.name startswith "system:")',
            request("delete", "clusterroles", ref={"name": "system:node"}),
            request("delete", "clusterroles", ref={"name": "mine"}),
        ),
        (
            "writing role",
            f"{role} and ka.req.role.rules.verbs intersects (create, update, patch, delete, deletecollection)",
            request("create", "clusterroles", **rule),
            request("create", "clusterroles", requestObject={"rules": [{"verbs": ["get"]}]}),
        ),
        (
            "exec role",
            f'{role} and ka.req.role.rules.resources intersects ("pods/exec")',
            request("create", "clusterroles", **rule),
            request("create", "clusterroles", requestObject={"rules": [{"resources": ["pods"]}]}),
        ),
        (
            "secret read",
            f"{DONE} and ka.target.resource=secrets and ka.verb=get and ka.response.code startswith 2",
            request("get", "secrets", code=200),
            request("get", "secrets", code=404),
        ),
        (
            "administrator",
            f"{DONE} and ka.user.name in (admin, kubernetes-admin)",
            request("get", "pods", user={"username": "admin"}),
            request("get", "pods"),
        ),
        (
            "node",
            f"{DONE} and ka.target.resource=nodes and ka.verb=create and ka.response.code startswith 2 and not "
            "ka.target.name in (known)",
            request("create", "nodes", ref={"name": "x"}),
            request("create", "nodes", ref={"name": "x"}, code=403),
        ),
        (
            "image",
            f"{pod} and not (ka.req.pod.containers.image.repository in (trusted))",
            request("create", "pods", spec=some),
            request("create", "pods", spec={"containers": [{"image": "trusted:1"}, {"image": "trusted"}]}),
        ),
    ]


ROWS = {
    "aws_cloudtrail": trail(),
    "github": repository(),
    "okta": people(),
    "gcp_auditlog": google(),
    "k8s_audit": cluster(),
}


@pytest.mark.parametrize("source", ROWS)
def test_each_rule_holds_on_its_event_alone(source: str) -> None:
    known, card = members.known(), members.find(source)
    assert card is not None
    made = [
        {"rule": name, "desc": "d", "condition": condition, "output": "%evt.time %json.obj", "priority": "NOTICE", "source": source}
        for name, condition, _, _ in ROWS[source]
    ]  # fmt: skip
    needs = {"required_plugin_versions": [{"name": card.plugin, "version": "0.1.0"}]}
    loaded = rules.load_documents(
        [document.parse("r.yaml", json.dumps([needs, *made]))], known, rules.Settings()
    )
    assert not loaded.problems, [problem.text() for problem in loaded.problems]
    judge = Judge(card, loaded.active, known)

    def held(event: dict[str, Any]) -> set[str]:
        body = json.dumps({**GROUND[source], **event}).encode()
        return {alert.rule for alert in judge.judge(Parcel(body, "test")).alerts}

    for name, _, catches, ignores in ROWS[source]:
        assert name in held(catches), name
        assert name not in held(ignores), name
