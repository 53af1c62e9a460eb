"""What Docker answers, asked for real."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eyas.containers import Container, docker, inspect
from eyas.containers.finding import Finder
from tests.containers.conftest import IMAGE, LIMITS

PATIENCE = 60


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Docker of one's own; its socket lies under the folder where a host has it."""
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        pytest.skip("dockerd or docker is missing (package docker.io)")
    folder = tmp_path_factory.mktemp("docker")
    socket = folder / "var/run/docker.sock"
    socket.parent.mkdir(parents=True)
    command = ["dockerd", "--data-root", str(folder / docker.FOLDER.removesuffix("/containers"))]
    command += ["--exec-root", str(folder / "exec"), "-H", f"unix://{socket}", "-p", str(folder / "pid")]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver", "vfs"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr or ():
        said.append(line)
        if "API listen on" in line:
            break
    else:
        pytest.skip(f"dockerd does not run here: {''.join(said[-3:])}")
    try:
        yield folder
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def container(host: Path, root: Path) -> Iterator[str]:
    """A container that stays; its whole id."""

    def run(*args: str, given: bytes | None = None) -> str:
        command = ["docker", "-H", f"unix://{host}/var/run/docker.sock", *args]
        done = subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode:
            pytest.skip(f"docker cannot run a container here: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    tar = subprocess.run(["tar", "-C", str(root), "-c", "."], check=True, capture_output=True).stdout
    run("import", "-", IMAGE, given=tar)
    labelled = ("--name", "web", "--label", "team=falcons", "--pid", "host")
    number = run("run", "-d", *LIMITS, *labelled, IMAGE, "/bin/sleep", "600")
    yield number
    run("rm", "-f", number)


@pytest.mark.parametrize("look", ["socket", "disk"])
def test_a_container_has_its_name_image_labels_and_walls(host: Path, container: str, look: str) -> None:
    ways: dict[str, Callable[[], Container | None]] = {
        "socket": lambda: Finder([docker.RUNTIME], host).asked(container),
        "disk": lambda: Finder([docker.RUNTIME], host).find(container),
    }
    found = ways[look]()
    assert found is not None
    assert (found.name, found.id) == ("web", container)
    assert (found.image.reference, found.image.tag) == (IMAGE, "1.0")
    assert found.image.id.startswith("sha256:")
    assert found.labels == {"team": "falcons"}
    assert (found.privileged, found.host_pid, found.host_network) == (False, True, False)
    assert found.created > 0


def test_docker_does_not_know_a_container_that_is_not_there(host: Path) -> None:
    assert inspect.ask(docker.KIND, host / "var/run/docker.sock", "a" * 64) is None
