"""The unit under a real systemd, in a container of this machine's programs: its sandbox leaves what the sensor needs."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers.conftest import LIMITS
from tests.live import SOURCES

SYSTEMD = Path("/lib/systemd/systemd")
UNIT = SOURCES.parent / "packaging/systemd/eyas.service"
# The unit's program is the one under test; a machine may not let us raise the number of files.
HERE = f"""
[Service]
ExecStart=
ExecStart={sys.executable} -m eyas run --json -r /rules.yaml
Environment=PYTHONPATH={SOURCES}
LimitNOFILE=1024
"""
RULE = """
- rule: ran beside the service
  desc: A program is started.
  condition: evt.type in (execve, execveat) and proc.args = "MARK"
  output: "%proc.args"
  priority: WARNING
"""
# What would change the machine's own kernel.
MASKED = ("systemd-sysctl", "systemd-binfmt", "systemd-remount-fs")
CAP_SYS_ADMIN = 21


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A root folder with the unit, without any other service."""
    root = tmp_path / "root"
    for name in ("usr", "proc", "sys", "dev", "tmp", "run", "var", "root"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    units = root / "etc/systemd/system"
    (units / "eyas.service.d").mkdir(parents=True)
    (units / "eyas.service.d/here.conf").write_text(HERE)
    shutil.copy(UNIT, units)
    for name in MASKED:
        (units / f"{name}.service").symlink_to("/dev/null")
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc")
    (root / "etc/machine-id").touch()
    (root / "rules.yaml").write_text(RULE)
    return root


class Machine:
    """A container whose first process is systemd."""

    def __init__(self, podman: Callable[..., str], name: str) -> None:
        self._podman, self._name = podman, name

    def run(self, *command: str) -> str:
        """Run a command in it."""
        return self._podman("exec", self._name, *command)

    def shown(self, key: str) -> str:
        """A property of the service."""
        return self.run("systemctl", "show", "-p", key, "--value", "eyas")

    def said(self, *words: str) -> str:
        """Wait until the service has said one of these words; what it said."""
        script = 'until journalctl -o cat -u eyas | grep -E "$1"; do sleep 0.2; done'
        return self.run("timeout", "40", "bash", "-c", script, "bash", "|".join(words))


@pytest.fixture
def booted(machine: None, podman: Callable[..., str], files: Path) -> Iterator[Machine]:
    if not SYSTEMD.exists():
        pytest.skip("systemd is missing (package systemd)")
    name = f"eyas-systemd-{uuid.uuid4().hex[:8]}"
    own = {"/usr", sys.prefix, sys.base_prefix, str(SOURCES)}
    mounts = [f"--volume={path}:{path}:ro" for path in sorted(own)]
    given = ("--privileged", "--systemd=always", *LIMITS, *mounts, "--rootfs", str(files))
    podman("run", "-d", "--name", name, *given, str(SYSTEMD), "--unit=eyas.service")
    yield Machine(podman, name)
    podman("rm", "-f", "-i", "-t", "0", name)


def test_it_watches_from_within_its_sandbox_and_comes_back_when_it_is_killed(booted: Machine) -> None:
    booted.said("Started eyas")
    assert booted.shown("ActiveState") == "active"
    assert f"eyas: {booted.shown('StatusText')}" in booted.said("watching")
    booted.run("/bin/true", "MARK")
    told = json.loads(booted.said("ran beside").splitlines()[0])
    assert told["output_fields"]["proc.args"] == "MARK"
    pid = booted.shown("MainPID")
    assert not _holds(booted, pid, CAP_SYS_ADMIN)
    booted.run("systemctl", "reload", "eyas")
    booted.said("reloaded")
    booted.run("kill", "-KILL", pid)
    assert (
        json.loads(booted.said("ended without a word").splitlines()[0])["rule"]
        == "Sensor ended without a word"
    )
    assert booted.shown("NRestarts") == "1"
    booted.run("systemctl", "stop", "eyas")
    assert booted.shown("Result") == "success"


def _holds(booted: Machine, pid: str, capability: int) -> Any:
    rows = booted.run("cat", f"/proc/{pid}/status").splitlines()
    held = next(row.split()[1] for row in rows if row.startswith("CapEff:"))
    return int(held, 16) >> capability & 1
