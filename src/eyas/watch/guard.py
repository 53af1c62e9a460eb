"""Rules about the sensor itself: whoever stops, traces, starves or writes into it, or tampers with its programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from eyas import rules
from eyas.catalog import Catalog
from eyas.rules import Compiled, document

_RULES = """
- macro: about_the_sensor
  condition: (evt.rawarg.pid in ({pid}, -{group}, -1) or evt.rawarg.tid = {pid})

- macro: the_sensor_itself
  condition: (proc.pid = {pid})

- rule: Sensor frozen or killed
  desc: A process sends the sensor a signal that stops or kills it.
  condition: evt.type in (kill, tkill, tgkill) and evt.rawarg.sig in (9, 19) and about_the_sensor
  output: Sensor got a signal that stops it | signal=%evt.arg.sig by=%proc.name command=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Sensor told to end
  desc: >
    A process asks the sensor to end, or the system to end it. Who started the sensor may end it; an administrator does
    it otherwise, and so does whoever does not want to be seen.
  condition: >
    (evt.type in (kill, tkill, tgkill) and evt.rawarg.sig in (2, 3, 6, 15) and about_the_sensor
     and evt.rawres >= 0 and not proc.pid in ({pid}, {parent}))
    or (evt.type in (execve, execveat) and evt.rawres >= 0 and proc.name in (systemctl, service)
        and proc.cmdline contains eyas
        and (proc.args contains stop or proc.args contains disable or proc.args contains mask
             or proc.args contains kill or proc.args contains freeze))
  output: Sensor was told to end | call=%evt.type signal=%evt.arg.sig by=%proc.name command=%proc.cmdline user=%user.name
  priority: WARNING
  tags: [T1562.001, eyas]

- rule: Sensor traced
  desc: A process attaches to the sensor or writes into its memory.
  condition: >
    (evt.type = process_vm_writev and evt.rawarg.pid = {pid})
    or (evt.type = ptrace and evt.rawarg.pid = {pid}
        and evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_POKETEXT, PTRACE_POKEDATA, PTRACE_POKEUSR,
                                PTRACE_SETREGS, PTRACE_SETREGSET))
    or (evt.type in (open, openat, openat2) and evt.is_open_write = true and fd.name = /proc/{pid}/mem)
  output: Sensor traced or written to | call=%evt.type by=%proc.name command=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Sensor starved
  desc: A process freezes the sensor's cgroup, or takes processors or memory from it.
  condition: >
    (evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name in ({controls}))
    or (evt.type = prlimit and evt.rawarg.pid = {pid} and not the_sensor_itself)
  output: Sensor starved | call=%evt.type file=%fd.name by=%proc.name command=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Kernel programs detached
  desc: >
    A process takes programs off the hooks of the kernel; the sensor's may be among them. What runtimes detach from
    cgroups is none of them, and only that succeeds.
  condition: >
    evt.type = bpf and not the_sensor_itself
    and (evt.arg.cmd in (BPF_LINK_DETACH, BPF_LINK_UPDATE) or (evt.arg.cmd = BPF_PROG_DETACH and evt.rawres < 0))
  output: Kernel programs detached | command=%evt.arg.cmd by=%proc.name cmdline=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Kernel programs of others opened
  desc: >
    A process opens programs, maps or links that another one made; that is how the sensor's are read and changed.
    Tools such as bpftool do it too.
  condition: >
    evt.type = bpf and evt.rawres >= 0 and not the_sensor_itself
    and evt.arg.cmd in (BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID)
  output: Kernel programs of others opened | command=%evt.arg.cmd by=%proc.name cmdline=%proc.cmdline user=%user.name
  priority: WARNING
  tags: [T1562.001, eyas]
"""

# Files of a cgroup that stop what is in it, or take from it; of both versions.
_CONTROLS = {
    "": ("cgroup.freeze", "cgroup.kill", "cpu.max", "cpu.weight", "cpuset.cpus", "memory.max", "memory.high"),
    "freezer": ("freezer.state",),
    "cpu": ("cpu.cfs_quota_us", "cpu.shares"),
    "cpuset": ("cpuset.cpus",),
    "memory": ("memory.limit_in_bytes",),
}


def compiled(catalog: Catalog) -> list[Compiled]:
    """The rules, about this process."""
    files = ", ".join(f'"{name}"' for name in sorted(controls())) or '""'
    facts = {"pid": os.getpid(), "parent": os.getppid(), "group": os.getpgid(0), "controls": files}
    text = _RULES.format_map(facts)
    return rules.load_documents([document.parse("sensor.yaml", text)], catalog, rules.Settings()).active


def controls() -> Iterator[str]:
    """Files that can stop or starve this process: those of its cgroups and of the cgroups around them."""
    mounts = [row.split() for row in _lines("/proc/self/mountinfo")]
    for row in _lines("/proc/self/cgroup"):
        _, names, path = row.split(":", 2)
        for mount in mounts:
            kind, options = mount[mount.index("-") + 1], mount[-1].split(",")
            fits = (
                kind == "cgroup2" if not names else kind == "cgroup" and set(names.split(",")) <= {*options}
            )
            if fits:
                yield from _above(PurePosixPath(mount[4]), path, names)


def _above(mount: PurePosixPath, path: str, names: str) -> Iterator[str]:
    """Files of a cgroup and of all around it."""
    wanted = [file for name in names.split(",") for file in _CONTROLS.get(name, ())]
    here = PurePosixPath(path.lstrip("/"))
    for folder in (here, *here.parents):
        yield from (str(mount / folder / file) for file in wanted)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
