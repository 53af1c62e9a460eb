"""Podman: names and images in the index of its storage, the rest in the specification beside it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from eyas.containers import inspect, spec
from eyas.containers.container import Container, Image, Runtime

KIND = 11
STORAGE = "var/lib/containers/storage"


def find(host: Path, full_id: str) -> Container | None:
    """A container of the system's storage."""
    entry = _entry(host, full_id)
    if entry is None:
        return None
    known = spec.load(Path(f"{host}/{STORAGE}/overlay-containers/{full_id}/userdata/config.json"))
    told = _metadata(entry)
    names = entry.get("names") or [told.get("name", "")]
    return spec.container(
        full_id,
        KIND,
        known if isinstance(known, dict) else {},
        host,
        name=names[0],
        image=_image(host, told),
        created=int(told.get("created-at") or 0),
    )


def _entry(host: Path, full_id: str) -> dict[str, Any] | None:
    index = spec.load(host / STORAGE / "overlay-containers/containers.json")
    return next((entry for entry in index or () if entry.get("id") == full_id), None)


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    try:
        told = json.loads(entry.get("metadata") or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _image(host: Path, told: dict[str, Any]) -> Image:
    images = spec.load(host / STORAGE / "overlay-images/images.json")
    number = str(told.get("image-id", ""))
    digest = next((str(one.get("digest", "")) for one in images or () if one.get("id") == number), "")
    return Image(str(told.get("image-name", "")), number, digest)


RUNTIME = Runtime("podman", find, ("run/podman/podman.sock",), partial(inspect.ask, KIND))
