"""Answers questions about containers in threads of their own, so that no event waits."""

from __future__ import annotations

import heapq
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eyas.containers import users
from eyas.containers.container import SHORT, Runtime

Tell = Callable[[str, Mapping[str, str | int]], None]

# A runtime writes its files before it starts the container; the socket may be a little behind.
PAUSES = (0.0, 0.03, 0.03, 0.06, 0.12, 0.5)

# Containers whose users were told; more are not remembered.
REMEMBERED = 4096

_FULL = re.compile(r"[0-9a-f]{64}")


class Question(Protocol):
    """What the core asks."""

    @property
    def container(self) -> str:
        """Id as fields show it."""

    @property
    def cgroup(self) -> str:
        """Cgroup path that names it."""

    @property
    def pid(self) -> int:
        """A process inside."""

    @property
    def new(self) -> bool:
        """Whether it was not asked before."""

    @property
    def inside(self) -> bool:
        """Whether that process has entered the container's root."""


@dataclass(order=True, frozen=True, slots=True)
class Look:
    """A look at what is on disk, due at a time; the number keeps looks of one time in order."""

    due: float
    number: int
    attempt: int = field(compare=False)
    question: Question = field(compare=False)


class Answers:
    """Asks runtimes and tells what they say: one thread looks on disk, others wait for sockets."""

    def __init__(self, tell: Tell, runtimes: Sequence[Runtime], host: Path = Path("/")) -> None:
        self._tell = tell
        self._runtimes = runtimes
        self._host = host
        self._looks: list[Look] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._sockets = ThreadPoolExecutor(2, "eyas-sockets")
        self._with_users: dict[str, None] = {}
        threading.Thread(target=self._run, name="eyas-containers", daemon=True).start()

    def ask(self, question: Question) -> None:
        """Begin to look for an answer."""
        if question.new:
            self._with_users.pop(question.container, None)
        self._schedule(question, 0)

    def close(self) -> None:
        """Stop looking."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._sockets.shutdown(wait=False, cancel_futures=True)

    def _schedule(self, question: Question, attempt: int) -> None:
        if attempt < len(PAUSES):
            due = time.monotonic() + PAUSES[attempt]
            with self._changed:
                heapq.heappush(self._looks, Look(due, next(self._numbers), attempt, question))
                self._changed.notify()

    def _run(self) -> None:
        while (look := self._next()) is not None:
            question = look.question
            if question.inside:
                self._tell_users(users.root_of(question.pid, self._host), question.container)
            if question.new and not self._on_disk(full(question), question.container):
                self._schedule(question, look.attempt + 1)

    def _next(self) -> Look | None:
        """The first look, once it is due."""
        with self._changed:
            while not self._closed:
                pause = self._looks[0].due - time.monotonic() if self._looks else None
                if pause is not None and pause <= 0:
                    return heapq.heappop(self._looks)
                self._changed.wait(pause)
        return None

    def _on_disk(self, full_id: str, container: str) -> bool:
        """Tell what is on disk at once, and what the socket says when it comes."""
        for runtime in self._runtimes:
            found = runtime.find(self._host, full_id)
            if found is not None:
                self._tell_users(found.root, container)
                self._tell("container", {"json": found.json()})
                self._ask_sockets((runtime,), full_id)
                return True
        self._ask_sockets(self._runtimes, full_id)
        return False

    def _ask_sockets(self, runtimes: Iterable[Runtime], full_id: str) -> None:
        """Ask runtimes elsewhere, unless looking has stopped meanwhile."""
        with self._changed:
            if not self._closed:
                self._sockets.submit(self._asked, runtimes, full_id)

    def _asked(self, runtimes: Iterable[Runtime], full_id: str) -> None:
        for runtime in runtimes:
            socket = runtime.socket(self._host)
            said = runtime.ask(socket, full_id) if socket and runtime.ask else None
            if said is not None:
                self._tell("container", {"json": said.json()})

    def _tell_users(self, root: Path | None, container: str) -> None:
        """Tell the users of a container, once."""
        if root is None or container in self._with_users:
            return
        for name, values in users.told(root, container):
            self._with_users[container] = None
            self._tell(name, values)
        while len(self._with_users) > REMEMBERED:
            self._with_users.pop(next(iter(self._with_users)))


def full(question: Question) -> str:
    """The whole id, as the cgroup path has it."""
    found = [one for one in _FULL.findall(question.cgroup) if one.startswith(question.container)]
    if found:
        return str(found[-1])
    last = question.cgroup.rpartition("/")[2]
    return last if last.startswith(question.container[:SHORT]) else question.container
