"""What the command line of a runtime says about the container that it is about to start."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from eyas.containers.container import Container

PODMAN, CRIO, CUSTOM = 11, 8, 5
_VERBS = ("create", "run", "restore")


@dataclass(frozen=True, slots=True)
class Start:
    """A container about to start; its name where the command line has one."""

    full_id: str
    name: str = ""
    kind: int = CUSTOM

    def container(self) -> Container | None:
        """What can be said when nothing else is left of it."""
        return Container(self.full_id, self.kind, name=self.name) if self.name else None


def started(command: Sequence[str]) -> Start | None:
    """The container that a command line names; none when it starts none."""
    return _monitored(command) or _run(command)


def _monitored(command: Sequence[str]) -> Start | None:
    """conmon: `-c ID -n NAME`; Kubernetes calls its containers `k8s_…`."""
    full_id, name = _after(command, "-c", "--cid"), _after(command, "-n", "--name")
    if not full_id or not name:
        return None
    return Start(full_id, name, CRIO if name.startswith("k8s_") else PODMAN)


def _run(command: Sequence[str]) -> Start | None:
    """runc and its like: `create … ID`."""
    verb = next((at for at, word in enumerate(command) if word in _VERBS), None)
    if verb is None or verb + 1 >= len(command) or command[-1].startswith("-"):
        return None
    return Start(command[-1])


def _after(command: Sequence[str], *options: str) -> str:
    for option, value in itertools.pairwise(command):
        if option in options:
            return value
    return ""
