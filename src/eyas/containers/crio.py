"""CRI-O: the specification of each container holds what Kubernetes said as annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from eyas.containers import cri, spec
from eyas.containers.container import Container, Image, Runtime

KIND = 8
FOLDERS = ("run/containers/storage/overlay-containers", "var/lib/containers/storage/overlay-containers")
PREFIX = "io.kubernetes.cri-o."


def find(host: Path, full_id: str) -> Container | None:
    """A container whose specification says that CRI-O made it."""
    for folder in FOLDERS:
        path = host / folder / full_id / "userdata/config.json"
        known = spec.load(path)
        notes = known.get("annotations") if isinstance(known, dict) else None
        if notes and notes.get("io.container.manager") == "cri-o":
            return _container(full_id, known, notes, path.parent)
    return None


def _container(full_id: str, known: Any, notes: Mapping[str, str], folder: Path) -> Container:
    named = notes.get(f"{PREFIX}ImageName") or notes.get(f"{PREFIX}Image", "")
    return spec.container(
        full_id,
        KIND,
        known,
        folder,
        name=notes.get("io.kubernetes.container.name") or notes.get(f"{PREFIX}Name", ""),
        image=Image(named, notes.get(f"{PREFIX}ImageRef", "")),
        labels={**_object(notes.get(f"{PREFIX}Labels")), **_pod(notes)},
        sandbox=notes.get(f"{PREFIX}SandboxID", ""),
        is_sandbox=notes.get(f"{PREFIX}ContainerType") == "sandbox",
    )


def _pod(notes: Mapping[str, str]) -> dict[str, str]:
    keys = ("io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid")
    return {key: notes[key] for key in keys if key in notes}


def _object(text: str | None) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


RUNTIME = Runtime("cri-o", find, ("run/crio/crio.sock", "var/run/crio/crio.sock"), partial(cri.ask, KIND))
