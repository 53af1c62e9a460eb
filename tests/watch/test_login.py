"""Who logged in from where, with a real SSH server."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE = 60
RULE = """
- rule: ran in a session
  desc: A program is started by somebody who logged in.
  condition: evt.type = execve and proc.name = true and eyas.login.address exists
  output: "%eyas.login.address %eyas.login.server %eyas.login.terminal %user.loginuid"
  priority: WARNING
"""


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Run a command in a session."""
    server = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if server is None or shutil.which("ssh") is None:
        pytest.skip("sshd or ssh is missing (packages openssh-server, openssh-client)")
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(make, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = tmp_path / "sshd_config"
    settings.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nPermitRootLogin yes\nUsePAM no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([server, "-D", "-e", "-f", str(settings)], stderr=subprocess.PIPE, text=True)
    said = next((line for line in process.stderr or () if "listening" in line), "")
    if not said:
        pytest.skip("sshd does not start here")

    def run(*options: str) -> None:
        known = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/known", "-q"]
        command = ["ssh", *known, *options, "-i", str(tmp_path / "user"), "-p", str(port), "root@127.0.0.1"]
        subprocess.run([*command, "true; exec true"], check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)

    yield run
    process.terminate()
    process.communicate(timeout=PATIENCE)


def test_an_alert_says_where_the_session_came_from_and_its_terminal(start, ssh, tmp_path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULE)
    run = start("run", "-r", str(rules), "--json")
    run.says("watching")
    ssh()
    fields = run.alert("ran in a session")["output_fields"]
    assert (fields["eyas.login.address"], fields["eyas.login.server"]) == ("127.0.0.1", "sshd")
    assert fields["eyas.login.terminal"] is None
    ssh("-tt")
    fields = run.alert("ran in a session")["output_fields"]
    assert fields["eyas.login.terminal"].startswith("pts/")
