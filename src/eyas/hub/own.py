"""Falco's own outputs: file, syslog, program and HTTP, told of every alert, repeats too."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import structlog

from eyas import alert as alerts
from eyas.alert import Alert, Style
from eyas.config import Settings
from eyas.delivery import Answer, Request, Sender, Trust, classify, delivered, retry, stored
from eyas.delivery.http import HttpSender
from eyas.delivery.worker import Receiver
from eyas.errors import UsageError
from eyas.hub.routing import Target
from eyas.hub.settings import INTERNAL

USER = 1 << 3  # facility of syslog
PATIENCE = 30.0  # seconds that a program may take for one alert

log = structlog.get_logger("eyas.outputs")


class FileSender:
    """Appends lines to a file; it is opened for each batch, unless it is to stay open."""

    def __init__(self, path: Path, keep: bool) -> None:
        self._path = path
        self._keep = keep
        self._file: IO[bytes] | None = None
        self.stale = threading.Event()

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Append the lines; a file that was rotated away is opened again."""
        answers: list[Answer] = []
        try:
            file = self._opened()
            for request in batch:
                file.write(request.body + b"\n")
                file.flush()
                answers.append(delivered())
            if not self._keep:
                self.close()
        except OSError as error:
            self.close()
            answers += [retry(f"{self._path}: {(error.strerror or str(error)).lower()}")] * (
                len(batch) - len(answers)
            )
        return answers

    def _opened(self) -> IO[bytes]:
        if self.stale.is_set():
            self.stale.clear()
            self.close()
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
        return self._file

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


class SyslogSender:
    """Speaks to the syslog of this machine."""

    def __init__(self, path: str = "/dev/log") -> None:
        self._path = path

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """One datagram for each line; tag `eyas`, facility user, severity of the alert."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.connect(self._path)
                for request in batch:
                    channel.send(
                        b"<%d>eyas: %s" % (USER | int(request.headers["severity"]), request.body[:8000])
                    )
        except OSError as error:
            return [retry(f"{self._path}: {(error.strerror or str(error)).lower()}")] * len(batch)
        return [delivered()] * len(batch)

    def close(self) -> None:
        """Nothing is held open."""


class ProgramSender:
    """Hands lines to a program on its standard input: one process for each, or one for all."""

    def __init__(self, command: str, keep: bool) -> None:
        self._command = command
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, batch: Sequence[Request]) -> Sequence[Answer]:
        """Hand over the lines."""
        answers: list[Answer] = []
        for request in batch:
            try:
                self._write(self._running(), request.body + b"\n")
                if not self._keep:
                    self._finish()
                answers.append(delivered())
            except (OSError, subprocess.TimeoutExpired) as error:
                self._kill()
                words = (
                    "took too long"
                    if isinstance(error, (TimeoutError, subprocess.TimeoutExpired))
                    else str(error)
                )
                answers += [retry(f"program: {words}")] * (len(batch) - len(answers))
                break
        return answers

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._command], stdin=subprocess.PIPE, start_new_session=True
            )
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        return self._process

    def _write(self, process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        channel = process.stdin.fileno()
        while line:
            if not select.select([], [channel], [], PATIENCE)[1]:
                raise TimeoutError
            line = line[os.write(channel, line) :]

    def _finish(self) -> None:
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process = process
            raise
        if code:
            log.warning("program ended with a failure", output="program_output", code=code)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        """Let the program end."""
        try:
            self._finish()
        except subprocess.TimeoutExpired:
            self._kill()


def targets(settings: Settings, style: Style) -> list[Target]:
    """Those that falco.yaml switches on."""
    found: list[Target] = []
    if settings.file_output.enabled:
        path = Path(settings.file_output.filename)
        found.append(_target("file_output", style, lambda: FileSender(path, settings.file_output.keep_alive)))
    if settings.syslog_output.enabled:
        found.append(_target("syslog_output", style, SyslogSender))
    if settings.program_output.enabled:
        command = settings.program_output.program
        if not command:
            at = settings.place("program_output", "program")
            raise UsageError(f"{at}: program_output.program: expected a command, found nothing")
        found.append(
            _target(
                "program_output", style, lambda: ProgramSender(command, settings.program_output.keep_alive)
            )
        )
    if settings.http_output.enabled:
        found.append(_http(settings, style))
    return found


def _http(settings: Settings, style: Style) -> Target:
    http = settings.http_output
    if not http.url:
        at = settings.place("http_output", "url")
        raise UsageError(f"{at}: http_output.url: expected an address, found nothing")
    kind = "application/json" if style.json_output else "text/plain"
    authorities = http.ca_cert or http.ca_bundle
    trust = Trust(
        check=not http.insecure,
        ca_file=authorities or None,
        ca_path=http.ca_path if not authorities and Path(http.ca_path).is_dir() else None,
        cert_file=http.client_cert if http.mtls else None,
        key_file=http.client_key if http.mtls else None,
    )
    HttpSender(trust).close()  # a missing certificate is a fault of the configuration: say so now

    def request(alert: Alert) -> Request:
        return Request("POST", http.url, {"Content-Type": kind}, _line(alert, style))

    judge = _echoed if http.echo else None
    return _target("http_output", style, lambda: HttpSender(trust, judge, agent=http.user_agent), request)


def _echoed(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The meaning of an answer, which is logged too."""
    log.info("answer", output="http_output", status=status, body=body.decode("utf-8", "replace"))
    return classify(status, headers, body)


def _target(
    name: str, style: Style, opens: Callable[[], Sender], request: Callable[[Alert], Request] | None = None
) -> Target:
    def line(alert: Alert) -> Request:
        head = {"severity": str(stored.severity(alert.priority))}
        return Request("LINE", name, head, _line(alert, style))

    made = request or line
    receiver = Receiver(name, lambda alerts: [made(alert) for alert in alerts], opens, batch=100)
    return Target(receiver, every=True)


def _line(alert: Alert, style: Style) -> bytes:
    return alert.line(style).encode("utf-8", "replace")


def example() -> Alert:
    """A test alert that nobody takes for a real one."""
    now = time.time_ns()
    return Alert(
        rule="Test rule",
        priority="Debug",
        source=INTERNAL,
        tags=("eyas", "test"),
        ts=now,
        message="This is a test from Eyas",
        fields={"proc.name": "eyas", "user.name": "test", "container.id": "host"},
        hostname=alerts.hostname(),
        eyas={"id": alerts.identity("Test rule", 0, now), "attack": [], "test": True},
    )
