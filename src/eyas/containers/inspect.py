"""Docker's answer about one container (`GET /containers/ID/json`), which podman gives too."""

from __future__ import annotations

import datetime
import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eyas.containers.container import Container, Image, Mount

TIMEOUT = 2.0


class _Unix(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect to the path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def get(path: Path, url: str) -> Any:
    """JSON of an answer; none when it is no success."""
    connection = _Unix(path)
    try:
        connection.request("GET", url)
        answer = connection.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ask(kind: int, path: Path, full_id: str) -> Container | None:
    """Ask for a container and its image."""
    found = get(path, f"/containers/{quote(full_id, safe='')}/json")
    if not isinstance(found, dict):
        return None
    image = get(path, f"/images/{quote(str(found.get('Image', '')), safe='')}/json")
    return container(kind, found, image if isinstance(image, dict) else {})


def container(kind: int, found: dict[str, Any], image: dict[str, Any]) -> Container:
    """What an answer says; the same shape lies in Docker's folder."""
    config, host = found.get("Config") or {}, found.get("HostConfig") or {}
    network = found.get("NetworkSettings") or {}
    name = str(found.get("Name", "")).lstrip("/")
    return Container(
        id=str(found.get("Id") or found.get("ID") or ""),
        kind=kind,
        name=name,
        image=Image(str(config.get("Image", "")), str(found.get("Image", "")), _digest(image)),
        labels=config.get("Labels") or {},
        is_sandbox="k8s_POD" in name,
        mounts=tuple(_mounts(found)),
        environment=tuple(config.get("Env") or ()),
        user=str(config.get("User", "")),
        ip=_address(network),
        created=_seconds(str(found.get("Created", ""))),
        privileged=bool(host.get("Privileged")),
        host_pid=host.get("PidMode") == "host",
        host_network=host.get("NetworkMode") == "host",
        host_ipc=host.get("IpcMode") == "host",
    )


def _digest(image: dict[str, Any]) -> str:
    listed = (str(entry).partition("@")[2] for entry in image.get("RepoDigests") or ())
    return next((digest for digest in listed if digest), "")


def _address(network: dict[str, Any]) -> str:
    networks = (network.get("Networks") or {}).values()
    own = (entry.get("IPAddress") for entry in networks if isinstance(entry, dict))
    return str(network.get("IPAddress") or next((ip for ip in own if ip), ""))


def _seconds(when: str) -> int:
    """Whole seconds since the epoch of RFC 3339 with any number of decimals."""
    try:
        return int(datetime.datetime.fromisoformat(when[:19] + "+00:00").timestamp())
    except ValueError:
        return 0


def _mounts(found: dict[str, Any]) -> list[Mount]:
    listed = found.get("Mounts") or found.get("MountPoints") or ()
    entries = listed.values() if isinstance(listed, dict) else listed
    return [
        Mount(
            source=str(entry.get("Source", "")),
            destination=str(entry.get("Destination", "")),
            mode=str(entry.get("Mode", "")),
            writable=bool(entry.get("RW", True)),
            propagation=str(entry.get("Propagation", "")),
        )
        for entry in entries
    ]
