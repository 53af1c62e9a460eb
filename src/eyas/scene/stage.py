"""Where a scene is played: the clock, the cast, and the events so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eyas.scene.cast import Cast, Process
from eyas.scene.script import Line, SceneError

Value = int | str | Sequence[str] | None
Params = dict[str, Value]
Verb = Callable[["Stage", Process, Line], None]

START = 1_767_614_400_000_000_000  # 2026-01-05 12:00:00 UTC
STEP = 1_000_000
HERE = "10.0.0.2"
FIRST_PORT = 40000

CONTAINER_PLUGIN = 1


@dataclass(frozen=True, slots=True)
class Happening:
    """One event to write, and the place of its line in the scene."""

    name: str
    ts: int
    tid: int
    params: Params
    offset: int


@dataclass(slots=True)
class Stage:
    """The scene while it is played."""

    cast: Cast = field(default_factory=Cast)
    happenings: list[Happening] = field(default_factory=list)
    now: int = START
    port: int = FIRST_PORT
    offset: int = 0

    def emit(self, actor: Process, event: str, /, **params: Value) -> None:
        """Let an event happen."""
        self.happenings.append(Happening(event, self.now, actor.tid, params, self.offset))
        self.now += STEP

    def fork(self, parent: Process, tid: int | None, flags: str = "") -> Process:
        """Let a process have a child, or another thread."""
        if tid is not None and tid in self.cast.processes and self.cast.processes[tid].alive:
            raise SceneError(self.offset, f"a process {tid} is there already")
        child = self.cast.born(parent, tid or self.cast.new_tid(), "CLONE_THREAD" in flags)
        if parent.container:
            flags = f"{flags}|CLONE_CHILD_IN_PIDNS".strip("|")
        self.emit(parent, "clone", **self._clone(parent, flags), res=child.tid)
        self.emit(child, "clone", **self._clone(child, flags), res=0)
        return child

    def _clone(self, one: Process, flags: str) -> Params:
        return {
            **_identity(one), "fdlimit": 1024, "flags": flags or 0,
            "vtid": one.vtid, "vpid": one.vpid, "pidns_init_start_ts": 0,
        }  # fmt: skip

    def exec(self, one: Process, filename: str, exe_flags: str = "", failure: str = "") -> None:
        """Let a process run what its record now says."""
        self.emit(
            one, "execve", **_identity(one), res=failure or 0, fdlimit=1024, env=one.env, tty=one.tty,
            vpgid=one.vpid, loginuid=one.loginuid, flags=exe_flags or 0, cap_inheritable=0,
            cap_permitted=0, cap_effective=0, exe_ino=4242, exe_ino_ctime=START - 86_400 * 10**9,
            exe_ino_mtime=START - 86_400 * 10**9, trusted_exepath=one.exepath, pgid=one.pid,
            filename=filename,
        )  # fmt: skip

    def tuple_to(self, address: str) -> str:
        """Both ends of a new connection from this machine."""
        self.port += 1
        source = f"[::2]:{self.port}" if address.startswith("[") else f"{HERE}:{self.port}"
        return f"{source}->{address}"


def _identity(one: Process) -> Params:
    """Parameters that clone and execve share."""
    return {
        "exe": one.exe, "args": one.args, "tid": one.tid, "pid": one.pid,
        "ptid": one.parent.tid if one.parent else 0, "cwd": "", "comm": one.comm,
        "cgroups": one.cgroups, "uid": one.uid, "gid": one.gid,
    }  # fmt: skip
