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
EVENTS = "run/libpod/events/events.log"
# Bytes of the log that are read.
TAIL = 1 << 18
DEEPEST = 128


def find(host: Path, full_id: str) -> Container | None:
    """A container of the system's storage."""
    entry = _entry(host, full_id)
    if entry is None:
        return None
    known = spec.load(Path(f"{host}/{STORAGE}/overlay-containers/{full_id}/userdata/config.json"))
    told = _metadata(entry)
    names = entry.get("names") or [told.get("name", "")]
    image = _image(host, str(told.get("image-id", "")))
    return spec.container(
        full_id,
        KIND,
        known if isinstance(known, dict) else {},
        host,
        name=names[0],
        image=_named(str(told.get("image-name", "")), image),
        created=int(told.get("created-at") or 0),
        layers=_layers(host, str(entry.get("layer", "")), str(image.get("layer", ""))),
    )


def recall(host: Path, full_id: str) -> Container | None:
    """A container that podman's log of events knows; `--rm` takes all else away when it ends."""
    for line in _end_of(host / EVENTS).splitlines():
        if full_id in line and (event := _object(line)).get("Type") == "container":
            reference = str(event.get("Image", ""))
            image = _image(host, reference)
            return Container(
                full_id,
                KIND,
                name=str(event.get("Name", "")),
                image=_named(reference, image),
                labels=event.get("Attributes") or {},
                layers=_layers(host, str(image.get("layer", ""))),
            )
    return None


def _end_of(path: Path) -> str:
    """The newest part of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            return file.read(TAIL).decode(errors="replace")
    except OSError:
        return ""


def _entry(host: Path, full_id: str) -> dict[str, Any] | None:
    index = spec.load(host / STORAGE / "overlay-containers/containers.json")
    return next((entry for entry in index or () if entry.get("id") == full_id), None)


def _metadata(entry: dict[str, Any]) -> dict[str, Any]:
    return _object(entry.get("metadata") or "{}")


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _image(host: Path, key: str) -> dict[str, Any]:
    """The entry of an image, by id or by name."""
    images = spec.load(host / STORAGE / "overlay-images/images.json")
    mine = (one for one in images or () if key and (one.get("id") == key or key in (one.get("names") or ())))
    return next(mine, {})


def _named(reference: str, entry: dict[str, Any]) -> Image:
    return Image(reference, str(entry.get("id", "")), str(entry.get("digest", "")))


def _layers(host: Path, *tops: str) -> tuple[Path, ...]:
    """Folders with the files of layers and of those below them. What a container wrote may be gone; its image stays."""
    index = spec.load(host / STORAGE / "overlay-layers/layers.json")
    below = {one.get("id"): str(one.get("parent", "")) for one in index or ()}
    found: dict[Path, None] = {}
    for layer in tops:
        while layer and len(found) < DEEPEST:
            found[host / STORAGE / "overlay" / layer / "diff"] = None
            layer = below.get(layer, "")
    return tuple(found)


RUNTIME = Runtime("podman", find, ("run/podman/podman.sock",), partial(inspect.ask, KIND), recall)
