"""A container and its runtime, as values; and the JSON of the event that describes a container."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHORT = 12


@dataclass(frozen=True, slots=True)
class Image:
    """Where a container's files come from."""

    reference: str = ""
    id: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The reference without tag and digest."""
        return self._split()[0]

    @property
    def tag(self) -> str:
        """The part after the last colon that is no port."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        name = self.reference.partition("@")[0]
        repository, colon, tag = name.rpartition(":")
        return (repository, tag) if colon and "/" not in tag else (name, "")


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder from outside."""

    source: str
    destination: str
    mode: str = ""
    writable: bool = True
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """What is known about a container; none is unknown.

    `pod` is what the Kubernetes API says. `root` is where its files are on the host; `layers` are where they come from, the last change first, and stay
    when the root is gone.
    """

    id: str
    kind: int
    name: str = ""
    image: Image = Image()
    labels: Mapping[str, str] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    sandbox: str = ""
    is_sandbox: bool = False
    mounts: tuple[Mount, ...] = ()
    environment: tuple[str, ...] = ()
    user: str = ""
    ip: str = ""
    cni: str = ""
    created: int = 0
    privileged: bool | None = None
    host_pid: bool | None = None
    host_network: bool | None = None
    host_ipc: bool | None = None
    root: Path | None = None
    layers: tuple[Path, ...] = ()
    pod: Mapping[str, Any] | None = None

    def json(self) -> str:
        """The description as the event carries it."""
        body: dict[str, Any] = {
            "type": self.kind,
            "id": self.id[:SHORT],
            "full_id": self.id,
            "name": self.name,
            "image": self.image.reference,
            "imageid": self.image.id.removeprefix("sha256:"),
            "imagedigest": self.image.digest,
            "imagerepo": self.image.repository,
            "imagetag": self.image.tag,
            "User": self.user,
            "ip": self.ip,
            "cni_json": self.cni,
            "created_time": self.created,
            "is_pod_sandbox": self.is_sandbox,
            "pod_sandbox_id": self.sandbox,
            "pod_sandbox_labels": dict(self.pod_labels),
            "labels": dict(self.labels),
            "env": list(self.environment),
            "privileged": self.privileged,
            "host_pid": self.host_pid,
            "host_network": self.host_network,
            "host_ipc": self.host_ipc,
            "Mounts": [_mount(mount) for mount in self.mounts],
        }
        if self.pod is not None:
            body["k8s"] = self.pod
        return json.dumps({"container": body})


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Source": mount.source,
        "Destination": mount.destination,
        "Mode": mount.mode,
        "RW": mount.writable,
        "Propagation": mount.propagation,
    }


@dataclass(frozen=True, slots=True)
class Runtime:
    """What makes containers: `find` looks on disk, `ask` asks its socket, `recall` looks into its log for one that
    is gone; all are given the whole id.
    """

    name: str
    find: Callable[[Path, str], Container | None]
    sockets: tuple[str, ...] = ()
    ask: Callable[[Path, str], Container | None] | None = None
    recall: Callable[[Path, str], Container | None] | None = None

    def socket(self, host: Path) -> Path | None:
        """Where it listens, if it does."""
        return next(self.listening(host), None)

    def listening(self, host: Path) -> Iterator[Path]:
        """Everywhere it listens: there may be one of the host and one of the cluster."""
        return (path for name in self.sockets if (path := host / name).is_socket())
