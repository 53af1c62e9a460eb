"""Whether sensors before this one said goodbye. One that was killed cannot tell; the next one does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eyas import alert
from eyas.alert import Alert
from eyas.watch.notice import notice

RULE = "Sensor ended without a word"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextmanager
def kept(folder: Path) -> Iterator[list[Alert]]:
    """Leave a note while this sensor runs; gives an alert for each that left one and is gone.

    A sensor that ended with the machine is none of them: its note names another boot.
    """
    notes, own = folder / "running", _identity("self")
    missing = [_alert(note) for note in _stale(notes)]
    note = notes / str(os.getpid())
    with suppress(OSError):
        notes.mkdir(parents=True, exist_ok=True)
        note.write_text(own)
    try:
        yield missing
    finally:
        with suppress(OSError):
            note.unlink()


def _stale(notes: Path) -> list[tuple[str, int]]:
    """Process numbers of this boot that are not what they were, with the time of their notes; the notes go."""
    found = []
    for note in sorted(notes.glob("[0-9]*")):
        with suppress(OSError):
            said, when = note.read_text(), note.stat().st_mtime_ns
            if said == _identity(note.name):
                continue
            note.unlink()
            if said.partition(" ")[0] == _boot():
                found.append((note.name, when))
    return found


def _identity(process: str) -> str:
    """The boot and the start of a process: a number alone may be given again."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # The 22nd field; the first two are before the parenthesis.
    return f"{_boot()} {fields[19]}"


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _alert(gone: tuple[str, int]) -> Alert:
    process, since = gone
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since / 1e9))
    message = f"The sensor that ran as process {process} since {began} ended without a word: it was killed or crashed"
    fields = {"eyas.sensor.pid": int(process), "eyas.sensor.since": since}
    return notice(RULE, message, alert.hostname(), int(process), fields)
