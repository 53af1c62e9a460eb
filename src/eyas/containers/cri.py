"""The Container Runtime Interface of Kubernetes (runtime.v1): what containerd and CRI-O say about containers and pods.

Field numbers are those of https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto.
"""

from __future__ import annotations

import json
from enum import IntEnum
from pathlib import Path
from typing import Any

from eyas.containers import grpc, spec
from eyas.containers.container import Container, Image
from eyas.containers.protobuf import Message, Value, WireError, decode, encode

SERVICE = "runtime.v1.RuntimeService"
# NamespaceMode: that of the node.
NODE = 2
SECOND = 1_000_000_000


class Listed(IntEnum):
    """Container, in the list of containers."""

    ID = 1
    SANDBOX = 2


class Status(IntEnum):
    """ContainerStatus."""

    ID = 1
    METADATA = 2
    CREATED = 4
    IMAGE = 8
    IMAGE_REF = 9
    LABELS = 12
    ANNOTATIONS = 13
    MOUNTS = 14
    IMAGE_ID = 17


class Sandbox(IntEnum):
    """PodSandboxStatus."""

    ID = 1
    METADATA = 2
    CREATED = 4
    NETWORK = 5
    LINUX = 6
    LABELS = 7
    ANNOTATIONS = 8


class Pod(IntEnum):
    """PodSandboxMetadata."""

    NAME = 1
    UID = 2
    NAMESPACE = 3


# ImageSpec.
SPECIFIED_IMAGE = 18


def ask(kind: int, socket: Path, full_id: str) -> Container | None:
    """Ask for a container and its pod; or for the pod, whose sandbox is a container too."""
    try:
        listed = _call(socket, "ListContainers", {1: encode({1: full_id})})
        found = next(listed.messages(1), None) if listed else None
        if found is None:
            return _pod(kind, socket, full_id)
        return _container(kind, socket, found)
    except WireError:
        return None


def _container(kind: int, socket: Path, listed: Message) -> Container | None:
    full_id, sandbox_id = listed.text(Listed.ID), listed.text(Listed.SANDBOX)
    answer = _call(socket, "ContainerStatus", {1: full_id, 2: True})
    if answer is None:
        return None
    status, info = answer.message(1), _info(answer)
    pod = _call(socket, "PodSandboxStatus", {1: sandbox_id, 2: True})
    sandbox = pod.message(1) if pod else Message()
    return spec.container(
        full_id,
        kind,
        info.get("runtimeSpec") or {},
        Path("/"),
        name=status.message(Status.METADATA).text(1),
        image=_image(status),
        labels={**status.texts(Status.LABELS), **_labels(sandbox_id, sandbox)},
        pod_labels=sandbox.texts(Sandbox.LABELS),
        sandbox=sandbox_id,
        ip=_ip(sandbox),
        created=status.integer(Status.CREATED) // SECOND,
        root=None,
        cni=_cni(pod),
        **_privileged(info),
        **_spaces(sandbox),
    )


def _pod(kind: int, socket: Path, full_id: str) -> Container | None:
    answer = _call(socket, "PodSandboxStatus", {1: full_id, 2: True})
    if answer is None:
        return None
    sandbox, info = answer.message(1), _info(answer)
    return spec.container(
        full_id,
        kind,
        info.get("runtimeSpec") or {},
        Path("/"),
        name=sandbox.message(Sandbox.METADATA).text(Pod.NAME),
        image=Image(str(info.get("image", ""))),
        labels={**sandbox.texts(Sandbox.LABELS), **_labels(full_id, sandbox)},
        pod_labels=sandbox.texts(Sandbox.LABELS),
        sandbox=full_id,
        is_sandbox=True,
        ip=_ip(sandbox),
        created=sandbox.integer(Sandbox.CREATED) // SECOND,
        root=None,
        cni=_cni(answer),
        **_spaces(sandbox),
    )


def _call(socket: Path, method: str, request: dict[int, Value]) -> Message | None:
    answer = grpc.call(socket, f"{SERVICE}/{method}", encode(request))
    return None if answer is None else decode(answer)


def _info(answer: Message) -> dict[str, Any]:
    """What a runtime says beside the interface, when it is asked to be verbose."""
    try:
        found = json.loads(answer.texts(2).get("info", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _image(status: Message) -> Image:
    image, reference = status.message(Status.IMAGE), status.text(Status.IMAGE_REF)
    name = image.text(1)
    if name.startswith("sha256:"):
        name = image.text(SPECIFIED_IMAGE) or reference
    number = status.text(Status.IMAGE_ID) or (reference if "@" not in reference else "")
    return Image(name, number, reference.partition("@")[2])


def _labels(sandbox_id: str, sandbox: Message) -> dict[str, str]:
    """Labels that fields about pods are read from."""
    pod = sandbox.message(Sandbox.METADATA)
    found = {
        "io.kubernetes.sandbox.id": sandbox_id,
        "io.kubernetes.pod.name": pod.text(Pod.NAME),
        "io.kubernetes.pod.namespace": pod.text(Pod.NAMESPACE),
        "io.kubernetes.pod.uid": pod.text(Pod.UID),
    }
    return {key: value for key, value in found.items() if value}


def _ip(sandbox: Message) -> str:
    return sandbox.message(Sandbox.NETWORK).text(1)


def _spaces(sandbox: Message) -> dict[str, bool]:
    """Which namespaces of the node a pod shares; nothing when the pod is not known."""
    options = sandbox.message(Sandbox.LINUX).message(1).message(2)
    names = {1: "host_network", 2: "host_pid", 3: "host_ipc"}
    return {name: options.integer(number) == NODE for number, name in names.items()} if sandbox.values else {}


def _privileged(info: dict[str, Any]) -> dict[str, bool]:
    """Whether it was made with all rights, as its configuration has it: that says more than the specification."""
    config, said = info.get("config"), info.get("privileged")
    if isinstance(config, dict):
        security = (config.get("linux") or {}).get("security_context") or {}
        said = bool(security.get("privileged", said))
    return {"privileged": said} if isinstance(said, bool) else {}


def _cni(pod: Message | None) -> str:
    result = _info(pod).get("cniResult") if pod else None
    return json.dumps(result) if result else ""
