"""Rules about the sensor itself: whoever stops, traces or writes into it, or takes programs off the kernel's hooks."""

from __future__ import annotations

import os

from eyas import rules
from eyas.catalog import Catalog
from eyas.rules import Compiled, document

_RULES = """
- rule: Sensor frozen or killed
  desc: A process sends the sensor a signal that stops or kills it.
  condition: >
    evt.type in (kill, tkill, tgkill) and evt.rawarg.sig in (9, 19)
    and (evt.rawarg.pid = {pid} or evt.rawarg.tid = {pid})
  output: Sensor got a signal that stops it | signal=%evt.arg.sig by=%proc.name command=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Sensor traced
  desc: A process attaches to the sensor or writes into its memory.
  condition: evt.type in (ptrace, process_vm_writev) and evt.rawarg.pid = {pid}
  output: Sensor traced or written to | call=%evt.type by=%proc.name command=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]

- rule: Kernel programs detached
  desc: A process takes programs off the hooks of the kernel; the sensor's may be among them.
  condition: evt.type = bpf and evt.arg.cmd in (BPF_PROG_DETACH, BPF_LINK_DETACH) and evt.rawres >= 0
  output: Kernel programs detached | command=%evt.arg.cmd by=%proc.name cmdline=%proc.cmdline user=%user.name
  priority: CRITICAL
  tags: [T1562.001, eyas]
"""


def compiled(catalog: Catalog) -> list[Compiled]:
    """The rules, about this process."""
    text = _RULES.format(pid=os.getpid())
    return rules.load_documents([document.parse("sensor.yaml", text)], catalog, rules.Settings()).active
