"""A containerd of one's own, and pods made through its Container Runtime Interface."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eyas.containers import cri, grpc
from eyas.containers.protobuf import Message, decode, encode

PATIENCE = 60.0
SETTINGS = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
  address = "{folder}/run/containerd/containerd.sock"
[ttrpc]
  address = "{folder}/ttrpc.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
"""


@dataclass(frozen=True)
class Server:
    """A containerd that runs; its socket lies under `host` where a host has it."""

    host: Path
    socket: Path

    def call(self, method: str, request: bytes) -> Message:
        answer = grpc.call(self.socket, f"{cri.SERVICE}/{method}", request, PATIENCE)
        assert answer is not None, f"{method} failed"
        return decode(answer)


@dataclass(frozen=True)
class Pod:
    """A pod with one container."""

    sandbox: str
    container: str


def entries(pairs: dict[str, str], number: int) -> bytes:
    """A map in a message."""
    return b"".join(encode({number: encode({1: key, 2: value})}) for key, value in pairs.items())


def start(folder: Path, image: Path, name: str) -> Iterator[Server]:
    """Run containerd with an image from a tar file."""
    if shutil.which("containerd") is None:
        pytest.skip("containerd is missing (package containerd)")
    socket = folder / "run/containerd/containerd.sock"
    settings = folder / "config.toml"
    settings.write_text(SETTINGS.format(folder=folder, image=name))
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(["containerd", "-c", str(settings)], stdout=out, stderr=out)
    try:
        server = Server(folder, socket)
        while grpc.call(socket, f"{cri.SERVICE}/Version", b"") is None:
            assert process.poll() is None, log.read_text()
        imported = ["ctr", "-a", str(socket), "-n", "k8s.io", "images", "import", str(image)]
        subprocess.run(
            [*imported, "--snapshotter", "native"], check=True, capture_output=True, timeout=PATIENCE
        )
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def run_pod(server: Server, image: str, command: list[str]) -> Pod:
    """Run a pod on the network of the host, so that no plugin for networks is needed."""
    metadata = encode({1: "web-1", 2: "uid-1", 3: "shop"})
    spaces = encode({1: cri.NODE})
    linux = encode({2: encode({1: spaces})})
    config = encode({1: metadata}) + entries({"app": "web"}, 6) + encode({8: linux})
    sandbox = server.call("RunPodSandbox", encode({1: config})).text(1)
    words = b"".join(encode({3: word}) for word in command)
    container = encode({1: encode({1: "web"}), 2: encode({1: image})}) + words
    container += encode({7: encode({1: "/mine", 2: "/etc", 3: True})})
    container += entries({"tier": "front"}, 9)
    created = server.call("CreateContainer", encode({1: sandbox, 2: container, 3: config})).text(1)
    server.call("StartContainer", encode({1: created}))
    return Pod(sandbox, created)


def remove(server: Server, pod: Pod) -> None:
    server.call("StopPodSandbox", encode({1: pod.sandbox}))
    server.call("RemovePodSandbox", encode({1: pod.sandbox}))
