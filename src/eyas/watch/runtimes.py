"""Container runtimes that listen on this machine."""

from __future__ import annotations

import os
from pathlib import Path

# Where each listens, as their packages set it up; minikube, k3s and microk8s keep containerd elsewhere.
SOCKETS = {
    "docker": ("run/docker.sock", "var/run/docker.sock"),
    "podman": ("run/podman/podman.sock",),
    "containerd": (
        "run/containerd/containerd.sock",
        "run/k3s/containerd/containerd.sock",
        "run/host-containerd/containerd.sock",
        "var/snap/microk8s/common/run/containerd.sock",
    ),
    "cri-o": ("run/crio/crio.sock",),
}


def sockets() -> dict[str, str | None]:
    """The socket of each runtime that is here; none for one that is not."""
    root = Path(os.environ.get("HOST_ROOT", "/"))
    return {name: _first(root, places) for name, places in SOCKETS.items()}


def _first(root: Path, places: tuple[str, ...]) -> str | None:
    found = (root / place for place in places)
    return next((str(path) for path in found if path.is_socket()), None)
