"""Programs that hide which file they mean: by links on the way, or by rewriting names while the kernel works."""

import subprocess
import sys

RULE = """
- rule: a guarded file is read
  desc: A file of this test is opened.
  condition: evt.type in (open, openat, openat2) and eyas.path.resolved = {folder}/guarded
  output: "%proc.name %eyas.path.resolved"
  priority: WARNING
"""

# A thread opens a file that the program has a lease on: it waits after the kernel has read the name, which is then
# rewritten.
RACE = """
import ctypes, fcntl, os, signal, sys, threading

opened = ctypes.create_string_buffer(sys.argv[1].encode(), 4096)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
lease = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
thread = threading.Thread(target=ctypes.CDLL(None).open, args=(opened, os.O_RDONLY))
thread.start()
signal.sigwait([signal.SIGIO])
opened.value = b"/etc/hostname"
fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_UNLCK)
thread.join()
"""


MOVED = """
- rule: a guarded name is taken
  desc: A file of this test gets the name.
  condition: evt.type in (rename, renameat, renameat2) and eyas.path.resolved = {folder}/guarded
  output: "%proc.name %eyas.path.resolved"
  priority: WARNING
"""


def test_a_folder_behind_a_link_hides_no_rename(start, tmp_path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(MOVED.format(folder=tmp_path))
    (tmp_path / "way").symlink_to(".")
    (tmp_path / "plain").write_text("x")
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    subprocess.run(["mv", "plain", "way/guarded"], check=True, cwd=tmp_path)
    found = run.alert("a guarded name is taken")["output_fields"]
    assert (found["proc.name"], found["eyas.path.resolved"]) == ("mv", str(tmp_path / "guarded"))


def test_a_name_that_a_thread_rewrites_hides_no_file(start, tmp_path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULE.format(folder=tmp_path))
    guarded = tmp_path / "guarded"
    guarded.write_text("x")
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    # The first open, for the lease, is told too.
    subprocess.run([sys.executable, "-c", RACE, str(guarded)], check=True, timeout=60)
    for _ in range(2):
        assert run.alert("a guarded file is read")["output_fields"]["eyas.path.resolved"] == str(guarded)
