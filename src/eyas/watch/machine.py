"""The machine that is watched, seen from where this program runs."""

from __future__ import annotations

import os
from pathlib import Path

from eyas import alert
from eyas.config import schema
from eyas.containers import RUNTIMES, Cluster
from eyas.errors import UsageError


def host() -> Path:
    """Root folder of the host: elsewhere when this runs in a container (`HOST_ROOT`)."""
    return Path(os.environ.get("HOST_ROOT", "/"))


def sockets() -> dict[str, str | None]:
    """The socket of each container runtime; none for one that does not listen."""
    listening = {runtime.name: runtime.socket(host()) for runtime in RUNTIMES if runtime.sockets}
    return {name: str(path) if path else None for name, path in listening.items()}


def cluster(wanted: schema.Kubernetes) -> Cluster | None:
    """Where the API of the cluster is, when it is to be asked: that which this runs in unless another is named."""
    if not wanted.enabled:
        return None
    inside = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not wanted.url and not inside[0]:
        raise UsageError(
            "kubernetes.url: expected where the API is, found nothing, and this runs in no cluster"
        )
    server = f"[{inside[0]}]" if ":" in inside[0] else inside[0]
    return Cluster(
        wanted.url or f"https://{server}:{inside[1]}",
        wanted.node or os.environ.get("EYAS_NODE") or alert.hostname(),
        _there(wanted.token_file),
        _there(wanted.ca_file),
    )


def _there(name: str) -> Path | None:
    return Path(name) if name and Path(name).is_file() else None
