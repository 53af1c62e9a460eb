"""Collecting only what the rules ask for gives the alerts of collecting everything."""

import json
import subprocess
from pathlib import Path

from eyas import _core, alert, catalog, pipeline, rules, watch
from eyas.rules import document
from eyas.rules.plan import plan

RULES = """
- rule: secret read
  desc: A secret is read.
  condition: >
    evt.type in (open, openat, openat2) and evt.is_open_read=true and fd.num>=0
    and (fd.name in (/etc/shadow, /etc/sudoers) or fd.name startswith {folder}/secret)
    and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid read %fd.name (%fd.nameraw) from %proc.cwd"
  priority: WARNING
- rule: written
  desc: A file is written.
  condition: >
    evt.type in (open, openat, openat2, creat) and evt.is_open_write=true and fd.typechar=f and fd.num>=0
    and fd.name startswith {folder}/
  output: "%proc.name %proc.pid wrote %fd.name %evt.arg.flags"
  priority: WARNING
- rule: failed
  desc: Somebody probes for files.
  condition: >
    evt.type in (open, openat, openat2) and fd.num<0 and evt.arg.name startswith {folder}/absent
  output: "%proc.name %proc.pid missed %evt.arg.name %evt.res"
  priority: WARNING
- rule: mode changed
  desc: The mode of an open file is changed.
  condition: evt.type in (fchmod, fchmodat) and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid changed %fd.name %evt.arg.mode"
  priority: WARNING
- rule: sent
  desc: Something goes over the network.
  condition: evt.type in (sendto, sendmsg, connect) and fd.l4proto in (tcp, udp) and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid %fd.l4proto %fd.rip:%fd.rport"
  priority: WARNING
"""

WORKLOAD = """
cd {folder}
echo one > secret; cat secret; cat ./secret; cat {folder}//secret {folder}/sub/../secret; cat /etc/shadow /etc/passwd
ln -s secret link; cat link; cat {folder}/link; cat absent; cat {folder}/absent; ls / >/dev/null
exec 9< /etc/hostname; cat <&9; exec 9<&-; exec 9> out; echo two >&9; exec 9>&-
python3 - <<'END'
import os, socket
fd = os.open("{folder}/secret", os.O_RDONLY); os.fchmod(fd, 0o640); os.close(fd)
fd = os.open("{folder}/plain", os.O_RDONLY | os.O_CREAT); os.fchmod(fd, 0o600); os.close(fd)
fd = os.open("{folder}/plain", os.O_RDONLY); os.fchmod(fd, 0o644); os.close(fd)
folder = os.open("{folder}", os.O_RDONLY); fd = os.open("secret", os.O_RDONLY, dir_fd=folder)
one, two = socket.socketpair(); one.send(b"x"); two.recv(1)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.sendto(b"x", ("127.0.0.1", 9))
tcp = socket.socket(); tcp.connect_ex(("127.0.0.1", 9))
END
"""


def forced(folder: Path) -> watch.Force:
    """Rules of this test, and what the kernel collects for them."""
    loaded = rules.load_documents(
        [document.parse("test.yaml", RULES.format(folder=folder))], catalog.load(), rules.Settings()
    )
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    known = catalog.load()
    collect = json.dumps(plan(loaded.active, known).json())
    return watch.Force(loaded.active, program, watch.needed(loaded.active, known), alert.Style(), collect)


def told(live: _core.Live, force: watch.Force) -> list[tuple[str, str]]:
    """Rule and text of every alert, in order."""
    matches = [match for found in live.close().found for match in found.matches]
    return [
        (force.rules[match.rule].name, pipeline.alert_of(match, force.rules[match.rule], "").message)
        for match in matches
    ]


def test_filtered_and_unfiltered_collection_give_the_same_alerts(machine, tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    force = forced(folder)
    assert json.loads(force.plan or "")["sieve"], "the rules of this test can be sieved"
    every = [event.id for event in catalog.load().events]
    filtered = _core.Live(force.program, force.events, plan=force.plan)
    unfiltered = _core.Live(force.program, every)
    subprocess.run(
        ["sh", "-c", WORKLOAD.format(folder=folder)],
        check=True,
        env={"PATH": "/usr/bin:/bin", "EYAS_TEST": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    few, all_of_them = told(filtered, force), told(unfiltered, force)
    assert {rule for rule, _ in all_of_them} == {rule.name for rule in force.rules}
    assert few == all_of_them


LINKED = """
- rule: reached
  desc: A file is reached through a link.
  condition: evt.type = openat and eyas.path.resolved = {folder}/target and proc.name = cat
  output: "%fd.name is %eyas.path.resolved"
  priority: WARNING
"""


def test_a_rule_sees_where_a_link_leads(machine, tmp_path: Path) -> None:
    known = catalog.load()
    text = LINKED.format(folder=tmp_path)
    loaded = rules.load_documents([document.parse("test.yaml", text)], known, rules.Settings())
    assert not loaded.errors, [problem.text() for problem in loaded.errors]
    collect = plan(loaded.active, known)
    assert collect.paths
    program = pipeline.compile_rules(loaded.active, loaded.ir)
    force = watch.Force(loaded.active, program, [], alert.Style(), json.dumps(collect.json()))
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to("target")
    live = _core.Live(force.program, force.events, plan=force.plan)
    subprocess.run(["cat", tmp_path / "link"], check=True, stdout=subprocess.DEVNULL)
    assert told(live, force) == [("reached", f"{tmp_path}/link is {tmp_path}/target")]
