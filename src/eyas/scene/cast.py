"""Who is on stage: processes, users and containers of a scene, as far as events need them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

COMM = 15
UNSET = 4294967295
USERS = {"root": 0, "daemon": 1, "www-data": 33, "nobody": 65534, "postgres": 70, "redis": 999}
FIRST_USER = 1000
FIRST_TID = 1000
HOST_TTY = 34816  # /dev/pts/0


@dataclass(slots=True)
class Container:
    """A container and what its runtime says about it."""

    name: str
    image: str
    privileged: bool = False
    members: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def full_id(self) -> str:
        """64 digits that follow from the name."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def cgroup(self) -> str:
        """Path of its control group, as docker lays it out."""
        return f"/docker/{self.full_id}"

    def json(self) -> dict[str, Any]:
        """What a runtime answers."""
        repository, _, tag = self.image.rpartition(":") if ":" in self.image else (self.image, "", "latest")
        return {
            "type": 0,
            "id": self.full_id[:12],
            "full_id": self.full_id,
            "name": self.name,
            "image": self.image,
            "imagerepo": repository,
            "imagetag": tag,
            "privileged": self.privileged,
            "is_pod_sandbox": False,
            **self.extra,
        }


@dataclass(slots=True)
class Process:
    """One thread as the scene knows it."""

    tid: int
    comm: str
    parent: Process | None = None
    pid: int = 0
    vpid: int = 0
    exe: str = ""
    exepath: str = ""
    args: list[str] = field(default_factory=list)
    env: list[str] = field(default_factory=list)
    cwd: str = "/"
    uid: int = 0
    gid: int = 0
    loginuid: int = UNSET
    tty: int = 0
    sid: int = 0
    container: Container | None = None
    next_fd: int = 3
    vtid: int = 0
    alive: bool = True
    acted: bool = False

    @property
    def cgroups(self) -> list[str]:
        """Control groups, `subsystem=path`."""
        path = self.container.cgroup if self.container else "/system.slice"
        return [f"{subsystem}={path}" for subsystem in ("cpuset", "cpu", "memory", "pids")]

    def new_fd(self) -> int:
        """The number that the next opened file gets."""
        self.next_fd += 1
        return self.next_fd - 1

    def record(self) -> dict[str, Any]:
        """The process in the initial state of a capture."""
        return {
            "tid": self.tid, "pid": self.pid, "ptid": self.parent.tid if self.parent else 0,
            "sid": self.sid, "vpgid": self.vpid, "pgid": self.pid, "vtid": self.vtid, "vpid": self.vpid,
            "comm": self.comm, "exe": self.exe, "exepath": self.exepath, "args": self.args, "env": self.env,
            "cgroups": self.cgroups, "cwd": self.cwd, "root": "/", "uid": self.uid, "gid": self.gid,
            "loginuid": self.loginuid, "tty": self.tty, "flags": 0 if self.tid == self.pid else 0x30000,
        }  # fmt: skip


def program_path(program: str, cwd: str) -> str:
    """Where a program named in a command lies."""
    if "/" not in program:
        return f"/usr/bin/{program}"
    return str(PurePosixPath(cwd) / program)


def short_name(path: str) -> str:
    """The name that the kernel gives to a process."""
    return path.rpartition("/")[2][:COMM]


@dataclass(slots=True)
class Cast:
    """All of a scene, by tid and by name."""

    processes: dict[int, Process] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=lambda: dict(USERS))
    initial: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        init = Process(1, "systemd", None, 1, 1, "/sbin/init", "/usr/lib/systemd/systemd", sid=1, vtid=1)
        self.processes[1] = init
        self.initial[1] = init.record()

    def named(self, name: str, parent: Process | None = None) -> Process | None:
        """The youngest living process with a name, below `parent` when one is given."""
        for one in reversed(self.processes.values()):
            if one.alive and one.comm == name[:COMM] and parent in (None, one.parent):
                return one
        return None

    def new_tid(self) -> int:
        """A number that no process has."""
        return max(FIRST_TID - 1, *self.processes) + 1

    def enter(self, name: str, parent: Process | None, tid: int | None = None) -> Process:
        """A process that was there before the scene began."""
        parent = parent or self.processes[1]
        number = tid or self.new_tid()
        path = program_path(name, "/")
        one = Process(number, short_name(name), parent, number, number, name, path, vtid=number, sid=number)
        one.uid, one.gid, one.loginuid, one.tty = parent.uid, parent.gid, parent.loginuid, parent.tty
        if parent.container:
            self.move(one, parent.container)
        self.processes[number] = one
        self.initial[number] = one.record()
        return one

    def move(self, one: Process, container: Container) -> None:
        """Put a process into a container."""
        container.members += 1
        one.container = container
        one.vpid = one.vtid = container.members

    def born(self, parent: Process, tid: int, thread: bool) -> Process:
        """A child or another thread of a process."""
        pid = parent.pid if thread else tid
        one = Process(
            tid, parent.comm, parent.parent if thread else parent, pid, pid, parent.exe, parent.exepath,
            list(parent.args), list(parent.env), parent.cwd, parent.uid, parent.gid, parent.loginuid,
            parent.tty, parent.sid, None, parent.next_fd, tid,
        )  # fmt: skip
        if parent.container:
            self.move(one, parent.container)
            one.vpid = parent.vpid if thread else one.vpid
        self.processes[tid] = one
        return one

    def container(self, name: str) -> Container:
        """A container by name; one that was not described runs an image of its own name."""
        return self.containers.setdefault(name, Container(name, f"{name}:latest"))

    def uid(self, user: str) -> int:
        """Number of a user; one that is new gets the next."""
        return self.users.setdefault(user, max(FIRST_USER - 1, *self._people()) + 1)

    def _people(self) -> list[int]:
        return [0, *(uid for uid in self.users.values() if FIRST_USER <= uid < 65534)]

    def snapshot(self) -> dict[str, Any]:
        """Initial state of the capture."""
        return {
            "machine": {"hostname": "scene", "cpus": 2, "boot_ts": 0},
            "interfaces": [{"name": "eth0", "address": "10.0.0.2", "netmask": "255.255.255.0"}],
            "users": [
                {
                    "uid": uid,
                    "gid": uid,
                    "name": name,
                    "home": f"/home/{name}" if uid else "/root",
                    "shell": "/bin/sh",
                }
                for name, uid in self.users.items()
            ],
            "groups": [{"gid": uid, "name": name} for name, uid in self.users.items()],
            "processes": list(self.initial.values()),
        }
