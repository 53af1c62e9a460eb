"""Kubernetes audit: who asked the API server for what, and what it answered.

The API server sends events (https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/) one by one, in lists
and as JSON lines.
"""

from __future__ import annotations

from eyas.sources.card import (
    Derived,
    Field,
    Source,
    Time,
    Value,
    argument,
    both,
    concat,
    covered,
    each,
    first,
    has,
    image_repository,
    join,
    keys,
    negated,
    one_of,
    query,
    root,
    text,
    when,
)

_SPEC = "/requestObject/spec"
_SUBJECTS = "/requestObject/subjects"
_RULES = "/requestObject/rules"


def _note(name: str, key: str, about: str) -> Field:
    return Field(name, "text", "/annotations/" + key.replace("~", "~0").replace("/", "~1"), about)


def _containers(kind: str, words: str) -> tuple[Field, ...]:
    """Give the fields that each kind of container of a pod has."""
    at = f"{_SPEC}/{kind}/*"

    def one(name: str, value: Value, about: str) -> Field:
        return Field(
            f"ka.req.pod.{kind}.{name}", "text", value, f"{about} of {words}.", list=True, arg="index"
        )

    def effective(key: str) -> Derived:
        inside = f"/securityContext/{key}"
        return each(at, first(inside, root(_SPEC + inside), text("0")))

    secure = f"{at}/securityContext"
    return (
        one("args", each(at, join(" ", "/args/*")), "Arguments"),
        one("command", each(at, join(" ", "/command/*")), "Commands"),
        one("name", f"{at}/name", "Names"),
        one("image", f"{at}/image", "Images"),
        one(
            "image.repository",
            each(at, image_repository("/image")),
            "Repositories of the images, without tag and digest,",
        ),
        one("host_port", each(f"{at}/ports/*", first("/hostPort", "/containerPort")), "Ports on the host"),
        one("privileged", f"{secure}/privileged", "Whether privileged, each"),
        one(
            "allow_privilege_escalation",
            f"{secure}/allowPrivilegeEscalation",
            "Whether privileges can grow, each",
        ),
        one(
            "read_only_fs",
            f"{secure}/readOnlyRootFilesystem",
            "Whether the root file system is read-only, each",
        ),
        one("run_as_user", f"{secure}/runAsUser", "Users"),
        one("eff_run_as_user", effective("runAsUser"), "Users, else that of the pod, else 0,"),
        one("run_as_group", f"{secure}/runAsGroup", "Groups"),
        one("eff_run_as_group", effective("runAsGroup"), "Groups, else that of the pod, else 0,"),
        one("proc_mount", f"{secure}/procMount", "Types of /proc"),
        one("add_capabilities", f"{secure}/capabilities/add", "Added capabilities as JSON"),
    )


_FIRST = f"{_SPEC}/containers/0"
_PATHS = f"{_SPEC}/volumes/*/hostPath/path"
_ACCOUNTS = f"{_SUBJECTS}/*[kind=ServiceAccount]"

FIELDS = (
    Field("ka.auditid", "text", "/auditID", "Unique id of the request."),
    Field("ka.stage", "text", "/stage", "Stage of the request: RequestReceived, ResponseComplete …"),
    _note("ka.auth.decision", "authorization.k8s.io/decision", "Decision: allow or forbid."),
    _note("ka.auth.reason", "authorization.k8s.io/reason", "Reason of the decision."),
    _note("ka.auth.openshift.decision", "authentication.openshift.io/decision", "OpenShift's decision."),
    _note(
        "ka.validations.admission.policy.failure",
        "validation.policy.admission.k8s.io/validation_failure",
        "Failures of admission policies.",
    ),
    _note(
        "ka.security.pod.violations",
        "pod-security.kubernetes.io/audit-violations",
        "Violations of pod security.",
    ),
    _note("ka.auth.openshift.username", "authentication.openshift.io/username", "OpenShift's user."),
    Field("ka.user.name", "text", "/user/username", "User who asked."),
    Field("ka.user.groups", "text", "/user/groups/*", "Groups of the user.", list=True),
    Field("ka.impuser.name", "text", "/impersonatedUser/username", "User who is impersonated."),
    Field("ka.verb", "text", "/verb", "What is done: get, create, delete …"),
    Field("ka.uri", "text", "/requestURI", "URI of the request."),
    Field(
        "ka.uri.param",
        "text",
        query("/requestURI"),
        "A query parameter of the URI, by name.",
        arg="key",
        required=True,
    ),
    Field("ka.target.name", "text", "/objectRef/name", "Name of the object."),
    Field("ka.target.namespace", "text", "/objectRef/namespace", "Namespace of the object."),
    Field("ka.target.resource", "text", "/objectRef/resource", "Kind of the object: pods, secrets …"),
    Field("ka.target.subresource", "text", "/objectRef/subresource", "Part of the object: exec, log …"),
    Field(
        "ka.target.pod.name",
        "text",
        when(
            both(one_of("/objectRef/resource", "pods"), negated(has("/objectRef/subresource"))),
            "/responseObject/metadata/name",
        ),
        "Name of the pod that the response shows.",
    ),
    Field("ka.req.binding.subjects", "text", f"{_SUBJECTS}/*", "Subjects of a binding as JSON.", list=True),
    Field(
        "ka.req.binding.subjects.user_names",
        "text",
        f"{_SUBJECTS}/*[kind=User]/name",
        "Users of a binding.",
        list=True,
    ),
    Field(
        "ka.req.binding.subjects.serviceaccount_names",
        "text",
        f"{_ACCOUNTS}/name",
        "Service accounts of a binding.",
        list=True,
    ),
    Field(
        "ka.req.binding.subjects.serviceaccount_ns_names",
        "text",
        each(_ACCOUNTS, concat("/namespace", text(":"), "/name")),
        "Service accounts of a binding as namespace:name.",
        list=True,
    ),
    Field(
        "ka.req.binding.subjects.group_names",
        "text",
        f"{_SUBJECTS}/*[kind=Group]/name",
        "Groups of a binding.",
        list=True,
    ),
    Field("ka.req.binding.role", "text", "/requestObject/roleRef/name", "Role of a binding."),
    Field(
        "ka.req.binding.subject.has_name",
        "text",
        text("true"),
        "Always true; use ka.req.binding.subjects.",
        arg="key",
        required=True,
        deprecated=True,
    ),
    Field("ka.req.configmap.name", "text", "/objectRef/name", "Name of a config map."),
    Field("ka.req.configmap.obj", "text", "/requestObject/data", "Data of a config map as JSON."),
    *_containers("containers", "the containers"),
    Field(
        "ka.req.container.image",
        "text",
        f"{_FIRST}/image",
        "Image of the first container; use ka.req.pod.containers.image.",
        deprecated=True,
    ),
    Field(
        "ka.req.container.image.repository",
        "text",
        image_repository(f"{_FIRST}/image"),
        "Repository of the first container's image; use ka.req.pod.containers.image.repository.",
        deprecated=True,
    ),
    Field("ka.req.pod.host_ipc", "text", f"{_SPEC}/hostIPC", "Whether a pod shares the host's IPC."),
    Field(
        "ka.req.pod.host_network", "text", f"{_SPEC}/hostNetwork", "Whether a pod is on the host's network."
    ),
    Field(
        "ka.req.container.host_network",
        "text",
        f"{_SPEC}/hostNetwork",
        "The same; use ka.req.pod.host_network.",
        deprecated=True,
    ),
    Field("ka.req.pod.host_pid", "text", f"{_SPEC}/hostPID", "Whether a pod sees the host's processes."),
    Field(
        "ka.req.container.privileged",
        "text",
        when(one_of(f"{_SPEC}/containers/*/securityContext/privileged", "true"), text("true"), text("false")),
        "Whether any container is privileged; use ka.req.pod.containers.privileged.",
        deprecated=True,
    ),
    Field("ka.req.pod.run_as_user", "text", f"{_SPEC}/securityContext/runAsUser", "User of a pod."),
    Field("ka.req.pod.run_as_group", "text", f"{_SPEC}/securityContext/runAsGroup", "Group of a pod."),
    Field("ka.req.role.rules", "text", f"{_RULES}/*", "Rules of a role as JSON.", list=True),
    Field(
        "ka.req.role.rules.apiGroups",
        "text",
        f"{_RULES}/*/apiGroups/*",
        "API groups of a role's rules.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.role.rules.nonResourceURLs",
        "text",
        f"{_RULES}/*/nonResourceURLs/*",
        "URLs of a role's rules.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.role.rules.verbs",
        "text",
        f"{_RULES}/*/verbs/*",
        "Verbs of a role's rules.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.role.rules.resources",
        "text",
        f"{_RULES}/*/resources/*",
        "Resources of a role's rules.",
        list=True,
        arg="index",
    ),
    Field("ka.req.pod.fs_group", "text", f"{_SPEC}/securityContext/fsGroup", "Group of a pod's files."),
    Field(
        "ka.req.pod.supplemental_groups",
        "text",
        f"{_SPEC}/securityContext/supplementalGroups/*",
        "Further groups of a pod.",
        list=True,
    ),
    Field("ka.req.service.type", "text", f"{_SPEC}/type", "Type of a service: ClusterIP, NodePort …"),
    Field(
        "ka.req.service.ports",
        "text",
        f"{_SPEC}/ports/*",
        "Ports of a service as JSON.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.pod.volumes.hostpath",
        "text",
        _PATHS,
        "Paths of the host that a pod mounts.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.volume.hostpath",
        "text",
        when(covered(_PATHS, argument()), text("true"), text("false")),
        "Whether a pod mounts a path of the host; use ka.req.pod.volumes.hostpath.",
        arg="key",
        required=True,
        deprecated=True,
    ),
    Field(
        "ka.req.pod.volumes.flexvolume_driver",
        "text",
        f"{_SPEC}/volumes/*/flexVolume/driver",
        "Drivers of flexible volumes.",
        list=True,
        arg="index",
    ),
    Field(
        "ka.req.pod.volumes.volume_type",
        "text",
        keys(f"{_SPEC}/volumes/*", "name"),
        "Types of a pod's volumes.",
        list=True,
        arg="index",
    ),
    Field("ka.resp.name", "text", "/responseObject/metadata/name", "Name of the object in the response."),
    Field("ka.response.code", "text", "/responseStatus/code", "HTTP status of the response."),
    Field("ka.response.reason", "text", "/responseStatus/reason", "Reason in the response."),
    Field("ka.useragent", "text", "/userAgent", "Program that asked."),
    Field("ka.sourceips", "text", "/sourceIPs/*", "Addresses the request came from.", list=True, arg="index"),
    Field("ka.cluster.name", "text", "/annotations/cluster_name", "Name of the cluster."),
    *_containers("initContainers", "the init containers"),
    *_containers("ephemeralContainers", "the ephemeral containers"),
)


SOURCE = Source(
    "k8s_audit",
    "Kubernetes audit",
    FIELDS,
    Time(("/stageTimestamp", "/requestReceivedTimestamp", "/timestamp")),
    lists=("items",),
    identity="/auditID",
    info=concat("/verb", text(" "), "/requestURI"),
    plugin="k8saudit",
    version=(0, 18, 0),
    same_as=("k8saudit-eks", "k8saudit-gke", "k8saudit-aks", "k8saudit-ovh"),
    silent=600,
)
