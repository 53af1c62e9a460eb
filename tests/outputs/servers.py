"""Real servers for tests: started on a free port in a folder of their own, stopped afterwards, skipped aloud if absent."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from eyas.alert import Alert
from eyas.delivery import Answer, Request
from eyas.delivery.http import HttpSender
from eyas.outputs.card import find, plan
from eyas.outputs.settings import settings_of

PATIENCE = 60.0


def deliver(name: str, values: dict[str, object], alerts: Sequence[Alert]) -> list[Answer]:
    """Send alerts as the product does: plan the requests, open a sender, send, close."""
    card = find(name)
    settings = settings_of(card, values)
    sender = (card.open(settings) if card.open else None) or HttpSender(settings.trust, card.judge)
    try:
        for request in card.prepare(settings) if card.prepare else []:
            sender.send([request])
        return list(sender.send(plan(card, alerts, settings)))
    finally:
        sender.close()


def send_all(name: str, values: dict[str, object], requests: Sequence[Request]) -> list[Answer]:
    """Send requests that are ready."""
    card = find(name)
    settings = settings_of(card, values)
    sender = (card.open(settings) if card.open else None) or HttpSender(settings.trust, card.judge)
    try:
        return list(sender.send(requests))
    finally:
        sender.close()


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, a server and a client."""

    authority: str
    server_cert: str
    server_key: str
    client_cert: str
    client_key: str

    @property
    def client(self) -> dict[str, object]:
        """Settings of a client that shows its certificate."""
        files = {"cacertfile": self.authority, "certfile": self.client_cert, "keyfile": self.client_key}
        return {"mutualtls": True, **files}


def certificates(folder: Path) -> Certificates:
    """Made anew for a test."""
    authority = trustme.CA()
    paths = [folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")]
    authority.cert_pem.write_to_path(paths[0])
    for at, name in ((1, "localhost"), (3, "eyas.example")):
        made = authority.issue_cert(name, "127.0.0.1") if at == 1 else authority.issue_cert(name)
        for blob in made.cert_chain_pems:
            blob.write_to_path(paths[at], append=True)
        made.private_key_pem.write_to_path(paths[at + 1])
    for path in (folder, *paths):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Certificates(*map(str, paths))


@contextlib.contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder into which a server that gives up root can look and write."""
    with tempfile.TemporaryDirectory(prefix="eyas-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        yield Path(name)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


def settled(question: Callable[[], object], patience: float = PATIENCE) -> object:
    """The first answer that is true."""
    deadline = time.monotonic() + patience
    while not (answer := question()):
        assert time.monotonic() < deadline, f"no answer within {patience} s"
        select.select([], [], [], 0.05)
    return answer


@contextlib.contextmanager
def server(
    command: Sequence[str], port: int, folder: Path, user: str = "", env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that listens on a port; without its program, or where it does not start, the test is skipped."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or ""
    if not program:
        pytest.skip(f"{command[0]} is not installed; see .ci/test-servers")
    owner = pwd.getpwnam(user) if user and os.geteuid() == 0 else None
    log = folder / f"{Path(program).name}.log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [program, *command[1:]],
            stdout=out,
            stderr=out,
            cwd=folder,
            env=os.environ | {"HOME": str(folder)} | (env or {}),
            start_new_session=True,
            **({"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}),
        )
    try:
        settled(lambda: running.poll() is not None or listens(port))
        if running.poll() is not None:
            pytest.fail(
                f"{command[0]} ended with {running.returncode}: {log.read_text(errors='replace')[-2000:]}"
            )
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, 15)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, 9)
            running.wait(10)


def listens(port: int) -> bool:
    """Whether someone listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False
