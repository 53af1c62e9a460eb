"""Eyas in a container as the compose file starts it, with this machine's programs in place of the image's."""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.containers.conftest import IMAGE, LIMITS
from tests.live import SOURCES, Running

COMPOSE = SOURCES.parent / "packaging/container/compose.yaml"
RULE = """
- rule: ran in a container
  desc: A program is started in a container.
  condition: evt.type in (execve, execveat) and container.id != host and proc.cmdline = "cat /etc/passwd"
  output: "%container.name %container.image.repository %user.name %evt.hostname"
  priority: WARNING
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A root folder whose programs are those of this machine."""
    root = tmp_path / "root"
    for name in ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "host"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    return root


def options(state: Path) -> Iterator[str]:
    """The compose file's service as options of podman."""
    service = yaml.safe_load(COMPOSE.read_text())["services"]["eyas"]
    yield from (f"--pid={service['pid']}", f"--uts={service['uts']}", f"--read-only={service['read_only']}")
    yield from (f"--cap-drop={name}" for name in service["cap_drop"])
    yield from (f"--cap-add={name}" for name in service["cap_add"] if has(name))
    yield from (f"--security-opt={one.replace(':', '=', 1)}" for one in service["security_opt"])
    yield from (f"--tmpfs={path}" for path in service["tmpfs"])
    yield from (f"--volume={one.replace('eyas:', f'{state}:', 1)}" for one in service["volumes"])
    yield "--env=HOST_ROOT=/host"


def has(capability: str) -> bool:
    """Whether this machine lets us give a capability; a guest may keep CAP_SYS_RESOURCE from root."""
    bounds = re.search(r"CapBnd:\s+(\w+)", Path("/proc/self/status").read_text())
    return capability != "SYS_RESOURCE" or bool(int(bounds[1], 16) >> 24 & 1 if bounds else 0)


@pytest.fixture
def packaged(
    machine: None, podman: Callable[..., str], files: Path, tmp_path: Path
) -> Iterator[tuple[Running, str]]:
    """The service, and the name of its container."""
    (tmp_path / "state").mkdir()
    (tmp_path / "rules.yaml").write_text(RULE)
    own = {"/usr", "/etc", sys.prefix, sys.base_prefix, str(SOURCES)}
    mounts = [f"--volume={path}:{path}:ro" for path in sorted(own)]
    mounts.append(f"--volume={tmp_path / 'rules.yaml'}:/rules.yaml:ro")
    name = f"eyas-own-{uuid.uuid4().hex[:8]}"
    given = [
        *options(tmp_path / "state"),
        *LIMITS,
        *mounts,
        "--env=PYTHONPATH=" + str(SOURCES),
        "--rootfs",
        str(files),
    ]
    run = Running(
        "podman",
        "run",
        "--rm",
        "--name",
        name,
        *given,
        sys.executable,
        "-m",
        "eyas",
        "run",
        "--json",
        "-r",
        "/rules.yaml",
    )
    yield run, name
    podman("rm", "-f", "-i", "-t", "0", name)
    run.process.wait(60)


def test_it_watches_the_machine_and_names_containers_of_the_host(
    packaged: tuple[Running, str], podman: Callable[..., str]
) -> None:
    run, own = packaged
    run.says("watching")
    name = f"eyas-test-{uuid.uuid4().hex[:8]}"
    podman("run", "--rm", "-u", "1234", *LIMITS, "--name", name, IMAGE, "/bin/cat", "/etc/passwd")
    wanted = {
        "container.name": name,
        "container.image.repository": "localhost/eyas-test",
        "user.name": "alice",
        "evt.hostname": os.uname().nodename,
    }
    # What was not known yet when the program started comes later, under the same id.
    assert any(wanted.items() <= one["output_fields"].items() for one in run.alerts())
    podman("kill", "--signal", "TERM", own)
    assert run.ends()[0] == 0
