"""The runtime specification (OCI config.json) of a container: what runc and its like were told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eyas.containers.container import Container, Image, Mount

_KERNEL = ("proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2")
_SPACES = ("pid", "network", "ipc")
_PROPAGATION = ("private", "rprivate", "slave", "rslave", "shared", "rshared")


def load(path: Path) -> Any:
    """JSON of a file; none when it is not there or not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def container(full_id: str, kind: int, spec: Mapping[str, Any], folder: Path, **known: Any) -> Container:
    """What a specification says; `known` is what the runtime says beside it."""
    process = spec.get("process") or {}
    facts: dict[str, Any] = {
        "name": full_id[:12],
        "labels": {},
        "mounts": tuple(_mounts(spec.get("mounts") or ())),
        "environment": tuple(process.get("env") or ()),
        "user": str((process.get("user") or {}).get("uid", "")),
        **_walls(spec.get("linux")),
        "root": folder / (spec.get("root") or {}).get("path", ""),
    }
    return Container(full_id, kind, **{**facts, **known})


def _walls(linux: Mapping[str, Any] | None) -> dict[str, bool]:
    """What parts it from the host; nothing is known without that part of the specification."""
    if linux is None:
        return {}
    spaces = {space.get("type") for space in linux.get("namespaces") or ()}
    shared = {f"host_{kind}": kind not in spaces for kind in _SPACES}
    return {"privileged": _privileged(linux), **shared}


def image(annotations: Mapping[str, str], *keys: str) -> Image:
    """The image that the first of some annotations names."""
    return Image(next((annotations[key] for key in keys if annotations.get(key)), ""))


def _privileged(linux: Mapping[str, Any]) -> bool:
    """Nothing of the host's kernel is hidden, and no filter of system calls is set."""
    hidden = linux.get("maskedPaths") or linux.get("readonlyPaths") or linux.get("seccomp")
    return not hidden


def _mounts(mounts: Any) -> list[Mount]:
    return [
        Mount(
            source=mount.get("source", ""),
            destination=mount.get("destination", ""),
            mode="",
            writable="ro" not in (mount.get("options") or ()),
            propagation=next((o for o in mount.get("options") or () if o in _PROPAGATION), ""),
        )
        for mount in mounts
        if mount.get("type") not in _KERNEL
    ]
