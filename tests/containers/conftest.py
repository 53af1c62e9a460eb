"""Real containers, made from busybox; where they cannot be run, tests skip and say why."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers import cri_server
from tests.containers.cri_server import Pod, Server
from tests.live import machine, start

__all__ = ["machine", "start"]

IMAGE = "localhost/eyas-test:1.0"
# The same with a program of its own, as a pod needs it.
POD_IMAGE = "localhost/eyas-pod:1.0"
# Limits that a machine without CAP_SYS_RESOURCE can set too.
LIMITS = ("--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
PATIENCE = 60


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a tiny system with a user of its own."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is missing (package busybox-static)")
    folder = tmp_path_factory.mktemp("root")
    (folder / "bin").mkdir()
    (folder / "etc").mkdir()
    shutil.copy(busybox, folder / "bin/busybox")
    for name in ("sh", "cat", "sleep"):
        (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nalice:x:1234:1234::/home/alice:/bin/sh\n"
    )
    (folder / "etc/group").write_text("wonderland:x:1234:\n")
    return folder


@pytest.fixture(scope="session")
def podman(root: Path) -> Iterator[Callable[..., str]]:
    """Run podman; gives what it said."""
    if shutil.which("podman") is None or shutil.which("runc") is None:
        pytest.skip("podman or runc is missing (packages podman, runc)")

    def run(*args: str) -> str:
        done = subprocess.run(
            ["podman", *args], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    try:
        tar = subprocess.run(["tar", "-C", str(root), "-c", "."], check=True, capture_output=True)
        for image, options in ((IMAGE, ()), (POD_IMAGE, ("--change", 'CMD ["/bin/sleep","600"]'))):
            subprocess.run(
                ["podman", "import", "--quiet", *options, "-", image],
                input=tar.stdout,
                check=True,
                capture_output=True,
                timeout=PATIENCE,
            )
        run("run", "--rm", *LIMITS, IMAGE, "/bin/cat", "/etc/passwd")
    except (RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"podman cannot run a container here: {error}")
    yield run


@pytest.fixture
def sleeper(podman: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """A container that stays: its name and its whole id."""
    name = f"eyas-{uuid.uuid4().hex[:8]}"
    number = podman(
        "run", "-d", "--rm", *LIMITS, "--name", name, "--label", "team=falcons", IMAGE, "/bin/sleep", "600"
    )
    yield name, number
    podman("rm", "-f", "-t", "0", name)


@pytest.fixture(scope="session")
def containerd(podman: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A containerd that knows the image of pods."""
    folder = tmp_path_factory.mktemp("containerd")
    podman("save", "--quiet", "--format", "docker-archive", "-o", str(folder / "image.tar"), POD_IMAGE)
    yield from cri_server.start(folder, folder / "image.tar", POD_IMAGE)


@pytest.fixture
def pod(containerd: Server) -> Iterator[Pod]:
    """A pod that stays."""
    made = cri_server.run_pod(containerd, POD_IMAGE, ["/bin/sleep", "600"])
    yield made
    cri_server.remove(containerd, made)
