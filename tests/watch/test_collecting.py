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
    and (fd.name in (/etc/shadow, /etc/sudoers) or fd.name startswith {folder}/secret
         or eyas.path.resolved = {folder}/secret)
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
- rule: name server asked
  desc: Something goes to a name server.
  condition: evt.type in (sendto, connect) and fd.sport = 5353 and not user.uid = 65534
  output: "%proc.name %proc.pid %evt.type %fd.rip:%fd.rport %user.uid"
  priority: WARNING
- rule: signalled
  desc: A process gets a signal.
  condition: evt.type in (kill, tgkill) and evt.rawarg.sig in (9, 10) and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid %evt.type %evt.arg.sig %evt.res"
  priority: WARNING
- rule: made executable
  desc: A program or nobody makes something executable.
  condition: >
    evt.type in (chmod, fchmod, fchmodat) and evt.arg.mode contains S_IXUSR and proc.aenv[EYAS_TEST] = {folder}
    and (proc.name in (maker, python3) or user.uid = 65534)
  output: "%proc.name %proc.pid %evt.arg.mode %user.uid"
  priority: WARNING
- rule: made by a container
  desc: A folder is made in a container.
  condition: evt.type in (mkdir, mkdirat) and container.id != host and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid %container.id"
  priority: WARNING
- rule: made on the host
  desc: A folder is made outside of containers.
  condition: evt.type in (mkdir, mkdirat) and container.id = host and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %proc.pid %container.id"
  priority: WARNING
- rule: put elsewhere
  desc: The file of an earlier open gets another number.
  condition: evt.type in (dup, dup2, dup3, fcntl) and fd.name startswith {folder}/
  output: "%proc.name %proc.pid %evt.type %fd.name"
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
ln -s secret link; cat link; cat {folder}/link; ln -s . way; cat {folder}/way/secret; cat absent; cat {folder}/absent; ls / >/dev/null
exec 9< /etc/hostname; cat <&9; exec 9<&-; exec 9> out; echo two >&9; exec 9>&-
python3 - <<'END'
import os, socket
fd = os.open("{folder}/secret", os.O_RDONLY); os.fchmod(fd, 0o640); os.dup2(fd, 99); os.close(os.dup(99)); os.close(fd)
fd = os.open("{folder}/plain", os.O_RDONLY | os.O_CREAT); os.fchmod(fd, 0o600); os.close(fd)
fd = os.open("{folder}/plain", os.O_RDONLY); os.fchmod(fd, 0o644); os.close(fd)
folder = os.open("{folder}", os.O_RDONLY); fd = os.open("secret", os.O_RDONLY, dir_fd=folder)
one, two = socket.socketpair(); one.send(b"x"); two.recv(1)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.sendto(b"x", ("127.0.0.1", 9))
tcp = socket.socket(); tcp.connect_ex(("127.0.0.1", 9)); tcp.connect_ex(("127.0.0.1", 5353))
for port in (5353, 5354): udp.sendto(b"x", ("127.0.0.1", port))
udp.connect(("127.0.0.1", 5353)); udp.send(b"x")
os.mkdir("{folder}/made"); os.chmod("{folder}/made", 0o700); os.chmod("{folder}/made", 0o600)
for number in (0, 10):
    try: os.kill(2**22 + 1, number)
    except ProcessLookupError: pass
if not os.fork():
    open("/proc/self/comm", "w").write("other")
    os.chmod("{folder}/made", 0o777)
    os.setresuid(-1, 65534, -1); os.chmod("{folder}", 0o700) if os.access("{folder}", os.W_OK) else None
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 5353))
    os._exit(0)
os.wait()
END
cp /bin/chmod {folder}/maker; {folder}/maker 711 {folder}/made; chmod 711 {folder}/made; chmod 600 {folder}/made
"""


def forced(folder: Path, text: str = RULES) -> watch.Force:
    """Rules of this test, and what the kernel collects for them."""
    loaded = rules.load_documents(
        [document.parse("test.yaml", text.format(folder=folder))], catalog.load(), rules.Settings()
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


def alerts(folder: Path, force: watch.Force) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What is told of the workload by the plan of the rules, and when everything is collected."""
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
    return told(filtered, force), told(unfiltered, force)


def test_filtered_and_unfiltered_collection_give_the_same_alerts(machine, tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    force = forced(folder)
    assert json.loads(force.plan or "")["sieve"], "the rules of this test can be sieved"
    few, all_of_them = alerts(folder, force)
    # This machine may be a container itself, so one of these two cannot hold.
    made = {"made by a container", "made on the host"}
    names = {rule for rule, _ in all_of_them}
    assert names | made == {rule.name for rule in force.rules}
    assert names & made
    assert few == all_of_them


CONNECTED = """
- rule: connected
  desc: A name server is connected to.
  condition: evt.type = connect and fd.sport = 5353 and proc.aenv[EYAS_TEST] = {folder}
  output: "%proc.name %fd.name %evt.res"
  priority: WARNING
"""


def test_connections_that_no_rule_asks_for_change_nothing(machine, tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    folder.mkdir()
    force = forced(folder, CONNECTED)
    assert json.loads(force.plan or "")["brief"], "no other event's rule looks at sockets"
    few, all_of_them = alerts(folder, force)
    assert few == all_of_them
    assert few


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
