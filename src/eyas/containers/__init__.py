"""Whose process it was: containers described by what their runtimes keep on disk and answer on their sockets."""

from eyas.containers import containerd, crio, docker, podman, runc
from eyas.containers.answers import Answers
from eyas.containers.container import Container, Runtime
from eyas.containers.kubernetes import Cluster

# The order in which they are tried.
RUNTIMES: tuple[Runtime, ...] = (
    podman.RUNTIME,
    docker.RUNTIME,
    crio.RUNTIME,
    containerd.RUNTIME,
    runc.RUNTIME,
)

__all__ = ["RUNTIMES", "Answers", "Cluster", "Container", "Runtime"]
