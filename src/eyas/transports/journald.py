"""The systemd journal, read by `journalctl` from its own cursor on."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

from eyas.errors import PassingError, RunError, UsageError
from eyas.transports.parcel import Link, Parcel

MAX_LINE = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which entries."""

    match: Annotated[tuple[str, ...], "Matches of journalctl, such as _SYSTEMD_UNIT=ssh.service."] = ()
    directory: Annotated[Path | None, "Folder of another journal."] = None
    follow: Annotated[bool, "Wait for more at the end."] = True


def probe(settings: Settings) -> str:
    """Read one entry."""
    done = subprocess.run(
        [*_command(settings, None), "-n", "1", "--no-pager"], capture_output=True, timeout=20
    )
    if done.returncode:
        raise RunError(f"journalctl: {done.stderr.decode(errors='replace').strip()}")
    return "the journal is readable"


def parcels(settings: Settings, link: Link) -> Iterator[Parcel]:
    """Every entry, as the JSON that journalctl writes."""
    link.status.where = str(settings.directory or "system journal")
    if link.mark is None and settings.follow and (newest := _newest(settings)):
        link.mark = newest
        link.begin(newest)
    command = _command(settings, link.mark)
    if settings.follow:
        command += ["--follow", "--lines=all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        link.status.turn("running")
        threading.Thread(target=_end, args=(process, link), daemon=True).start()
        try:
            yield from _entries(process, link)
        finally:
            process.terminate()
        if process.wait() and not link.stop.is_set():
            error = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise PassingError(f"journalctl ended: {error}")


def _newest(settings: Settings) -> str | None:
    """Cursor of the newest entry, after which the first start begins; None when there is no entry yet."""
    done = subprocess.run([*_command(settings, None), "--lines=1"], capture_output=True, timeout=60)
    try:
        return str(json.loads(done.stdout)["__CURSOR"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _end(process: subprocess.Popen[bytes], link: Link) -> None:
    """End a reader that waits for the next entry."""
    link.stop.wait()
    process.terminate()


def _entries(process: subprocess.Popen[bytes], link: Link) -> Iterator[Parcel]:
    assert process.stdout is not None
    while not link.stop.is_set() and (line := _line(process.stdout, link)):
        try:
            cursor = json.loads(line)["__CURSOR"]
        except (ValueError, KeyError, TypeError, RecursionError):
            link.status.refuse("not an entry", "journal")
            continue
        yield Parcel(line, f"journal {cursor}", mark=cursor)


def _line(stream: IO[bytes], link: Link) -> bytes:
    line = stream.readline(MAX_LINE)
    while len(line) == MAX_LINE and not line.endswith(b"\n"):
        link.status.refuse("line too long", "journal")
        while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
        line = stream.readline(MAX_LINE)
    return line


def _command(settings: Settings, cursor: str | None) -> list[str]:
    program = shutil.which("journalctl")
    if program is None:
        raise UsageError("journalctl is not installed", "the journal needs systemd")
    bound = shutil.which("setpriv")  # a run that is killed leaves no reader behind
    command = [bound, "--pdeathsig=TERM"] if bound else []
    command += [program, "--output=json", "--all", "--quiet"]
    if settings.directory:
        command.append(f"--directory={settings.directory}")
    if cursor:
        command.append(f"--after-cursor={cursor}")
    return [*command, *settings.match]
