"""A running transport, and what it needs."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eyas.transports.checkpoint import Checkpoints
from eyas.transports.parcel import Link, Mark, Outcome, Parcel
from eyas.transports.status import Status

PATIENCE = 30


class Running:
    """A transport in a thread; `next` waits for a parcel and settles it as safe."""

    def __init__(self, link: Link, open_: Callable[[Link], Iterator[Parcel]]) -> None:
        self.link = link
        self.mark: Mark = link.mark
        self.failure: BaseException | None = None
        self._found: queue.Queue[Parcel | None] = queue.Queue(1)
        self._thread = threading.Thread(target=self._run, args=(open_,), daemon=True)
        self._thread.start()

    def _run(self, open_: Callable[[Link], Iterator[Parcel]]) -> None:
        try:
            for parcel in open_(self.link):
                self._found.put(parcel)
        except BaseException as error:
            self.failure = error
        self._found.put(None)

    def next(self, outcome: Outcome | None = Outcome.SAFE) -> Parcel:
        """The next parcel."""
        parcel = self._found.get(timeout=PATIENCE)
        if parcel is None:
            raise self.failure or AssertionError("the transport ended")
        if outcome is not None:
            parcel.settle(outcome)
            self.mark = parcel.mark if parcel.mark is not None else self.mark
        return parcel

    def rest(self) -> list[Parcel]:
        """All parcels up to the end."""
        found = []
        while (parcel := self._found.get(timeout=PATIENCE)) is not None:
            parcel.settle(Outcome.SAFE)
            found.append(parcel)
        if self.failure:
            raise self.failure
        return found

    def stop(self) -> None:
        """End it."""
        self.link.stop.set()
        while self._thread.is_alive():
            try:
                self._found.get(timeout=0.1)
            except queue.Empty:
                continue


@contextmanager
def running(
    open_: Callable[[Link], Iterator[Parcel]],
    mark: Mark = None,
    seen: Callable[[str], bool] = lambda _: False,
) -> Iterator[Running]:
    """Run a transport for the length of a block."""
    heard = threading.Event()
    status = Status("test", heard=lambda status: heard.set() if status.where else None)
    started = Running(Link(status, mark=mark, seen=seen), open_)
    try:
        yield started
    finally:
        started.stop()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    pause = threading.Event()
    while not holds():
        pause.wait(0.01)  # the test's own time-out ends what never comes


def listening(run: Running) -> str:
    """Address of a listener, once it listens."""
    arrived = threading.Event()
    run.link.status.heard = lambda status: arrived.set()
    if run.link.status.state != "running" and not run.failure:
        arrived.wait(PATIENCE)
    if run.failure:
        raise run.failure
    return run.link.status.where


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Checkpoints]:
    made = Checkpoints(tmp_path / "checkpoints.db")
    yield made
    made.close()
