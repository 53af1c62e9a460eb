"""Notices changed rule files and reads them in a thread of its own, so that alerts do not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from eyas.errors import EyasError
from eyas.watch.wakes import Wake, Wakes

T = TypeVar("T")
Stamp = tuple[int, int, int]


class Loader(Generic[T]):
    """Loads in the background; one load at a time, and once more when something changed meanwhile."""

    def __init__(self, load: Callable[[], T], failed: Callable[[EyasError], None], wakes: Wakes) -> None:
        self._load = load
        self._failed = failed
        self._wakes = wakes
        self._done: list[T] = []
        self._busy = False
        self._again = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Load what is there now; `Wake.LOADED` tells when it is done."""
        with self._lock:
            self._again = self._busy
            if self._busy:
                return
            self._busy = True
        threading.Thread(target=self._run, name="eyas-load", daemon=True).start()

    def take(self) -> T | None:
        """The newest load, once."""
        with self._lock:
            done, self._done = self._done, []
        return done[-1] if done else None

    def _run(self) -> None:
        while True:
            try:
                loaded = [self._load()]
            except EyasError as error:
                self._failed(error)
                loaded = []
            with self._lock:
                self._done += loaded
                again, self._again = self._again, False
                self._busy = again
            self._wakes.post(Wake.LOADED)
            if not again:
                return


def follow(paths: Sequence[Path], since: int, wakes: Wakes, stop: threading.Event) -> None:
    """Post `Wake.RELOAD` whenever a file among `paths`, or in a folder among them, changes.

    Those that changed after `since`, when they were read, count as changed.
    """
    wanted = [path.resolve() for path in paths]
    # A file that is replaced keeps its folder, so folders are what is watched.
    folders = {path if path.is_dir() else path.parent for path in wanted}
    folders = {folder for folder in folders if folder.is_dir()}
    before = {name: stamp for name, stamp in _stamps(wanted).items() if stamp[2] < since}
    if folders:
        args = (folders, wanted, before, wakes, stop)
        threading.Thread(target=_follow, args=args, name="eyas-follow", daemon=True).start()


def _follow(
    folders: set[Path], wanted: list[Path], before: dict[str, Stamp], wakes: Wakes, stop: threading.Event
) -> None:
    import watchfiles

    # The time-out finds what changed before the folders were watched.
    hints = watchfiles.watch(
        *folders,
        stop_event=stop,
        recursive=False,
        debounce=400,
        step=200,
        rust_timeout=1000,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    for _ in hints:
        now = _stamps(wanted)
        if now != before and not stop.is_set():
            before = now
            wakes.post(Wake.RELOAD)


def _stamps(paths: Iterable[Path]) -> dict[str, Stamp]:
    """What tells one state of the files from another."""
    files: list[Path] = []
    for path in paths:
        files += list(path.glob("*.y*ml")) if path.is_dir() else [path]
    return {str(file): stamp for file in files if (stamp := _stamp(file)) is not None}


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
