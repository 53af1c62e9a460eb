"""containerd: the bundle of each task holds its specification, with what Kubernetes said as annotations."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from eyas.containers import cri, spec
from eyas.containers.container import Container, Runtime

KIND = 7
CRI = 6
TASKS = (
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
    "run/host-containerd/io.containerd.runtime.v2.task",
    "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
)
SOCKETS = (
    "run/containerd/containerd.sock",
    "run/k3s/containerd/containerd.sock",
    "run/host-containerd/containerd.sock",
)
# Annotation of containerd's CRI plugin → label that every runtime of Kubernetes has.
LABELS = {
    "io.kubernetes.cri.sandbox-id": "io.kubernetes.sandbox.id",
    "io.kubernetes.cri.sandbox-uid": "io.kubernetes.pod.uid",
    "io.kubernetes.cri.sandbox-name": "io.kubernetes.pod.name",
    "io.kubernetes.cri.sandbox-namespace": "io.kubernetes.pod.namespace",
    "io.kubernetes.cri.container-name": "io.kubernetes.container.name",
}


def find(host: Path, full_id: str) -> Container | None:
    """A task of any namespace."""
    for tasks in TASKS:
        for bundle in sorted((host / tasks).glob(f"*/{full_id}")):
            known = spec.load(bundle / "config.json")
            if isinstance(known, dict):
                return _container(full_id, known, bundle)
    return None


def _container(full_id: str, known: dict[str, object], bundle: Path) -> Container:
    notes = known.get("annotations")
    notes = notes if isinstance(notes, dict) else {}
    sandbox = notes.get("io.kubernetes.cri.sandbox-id", "")
    return spec.container(
        full_id,
        CRI if sandbox else KIND,
        known,
        bundle,
        name=notes.get("io.kubernetes.cri.container-name") or full_id[:12],
        image=spec.image(notes, "io.kubernetes.cri.image-name", "nerdctl/image"),
        labels={LABELS[key]: value for key, value in notes.items() if key in LABELS},
        sandbox=sandbox,
        is_sandbox=notes.get("io.kubernetes.cri.container-type") == "sandbox",
    )


RUNTIME = Runtime("containerd", find, SOCKETS, partial(cri.ask, CRI))
