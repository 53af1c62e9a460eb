"""Answers questions about containers in threads of their own, so that no event waits."""

from __future__ import annotations

import heapq
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from eyas.containers import start, users
from eyas.containers.container import SHORT, Container, Runtime
from eyas.containers.finding import POD, Finder
from eyas.containers.kubernetes import Cluster, Pods
from eyas.containers.start import Start

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

    @property
    def command(self) -> Sequence[str]:
        """The command line of a runtime that may be about to start a container."""


@dataclass(order=True, frozen=True, slots=True)
class Look:
    """A look for a container, due at a time; the number keeps looks of one time in order."""

    due: float
    number: int
    attempt: int = field(compare=False)
    full_id: str = field(compare=False)
    container: str = field(compare=False)


class Answers:
    """Asks runtimes and tells what they say: one thread looks on disk, one into roots, others wait for sockets."""

    def __init__(
        self,
        tell: Tell,
        runtimes: Sequence[Runtime],
        host: Path = Path("/"),
        cluster: Cluster | None = None,
        said: Callable[[str], None] = print,
    ) -> None:
        self._tell = tell
        self._finder = Finder(runtimes, host)
        self._host = host
        self._looks: list[Look] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._sockets = ThreadPoolExecutor(2, "eyas-sockets")
        self._roots = ThreadPoolExecutor(1, "eyas-roots")
        self._with_users: dict[str, None] = {}
        self._users = threading.Lock()
        self._pods = Pods(cluster, self._of_pod, said) if cluster else None
        threading.Thread(target=self._run, name="eyas-containers", daemon=True).start()

    def ask(self, question: Question) -> None:
        """Begin to look for an answer."""
        if question.command:
            self._expect(start.started(question.command))
            return
        if question.new:
            self._with_users.pop(question.container, None)
            self._schedule(full(question), question.container)
        if question.inside:
            self._roots.submit(self._look_inside, question)

    def close(self) -> None:
        """Stop looking."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._pods is not None:
            self._pods.close()
        self._sockets.shutdown(wait=False, cancel_futures=True)
        self._roots.shutdown(wait=False, cancel_futures=True)

    def _expect(self, begun: Start | None) -> None:
        """A runtime is about to start a container: its files lie ready, and may be gone when it is asked about."""
        if begun is not None:
            self._finder.expect(begun)
            self._schedule(begun.full_id, begun.full_id[:SHORT])

    def _schedule(self, full_id: str, container: str, attempt: int = 0) -> None:
        due = time.monotonic() + PAUSES[attempt]
        with self._changed:
            heapq.heappush(self._looks, Look(due, next(self._numbers), attempt, full_id, container))
            self._changed.notify()

    def _run(self) -> None:
        while (look := self._next()) is not None:
            found = self._finder.find(look.full_id)
            last = look.attempt + 1 == len(PAUSES)
            if found is None and last:
                found = self._finder.named(look.full_id)
            if found is not None:
                self._answer(found, look.container)
            elif not last:
                self._schedule(look.full_id, look.container, look.attempt + 1)
            self._ask_sockets(look.full_id)

    def _next(self) -> Look | None:
        """The first look, once it is due."""
        with self._changed:
            while not self._closed:
                pause = self._looks[0].due - time.monotonic() if self._looks else None
                if pause is not None and pause <= 0:
                    return heapq.heappop(self._looks)
                self._changed.wait(pause)
        return None

    def _answer(self, found: Container, container: str) -> None:
        """Tell its users first, so that whatever waits for the container has them too."""
        self._tell_users((found.root, *found.layers), container)
        self._describe(found)

    def _describe(self, found: Container) -> None:
        uid = found.labels.get(POD)
        pod = self._pods.of(uid) if self._pods and uid else None
        self._tell("container", {"json": replace(found, pod=pod).json()})

    def _of_pod(self, uid: str) -> None:
        """A pod came or changed: its containers are described anew."""
        for container in self._finder.of_pod(uid):
            self._describe(container)

    def _ask_sockets(self, full_id: str) -> None:
        """Ask runtimes elsewhere, unless looking has stopped meanwhile."""
        with self._changed:
            if not self._closed:
                self._sockets.submit(self._asked, full_id)

    def _asked(self, full_id: str) -> None:
        said = self._finder.asked(full_id)
        if said is not None:
            self._finder.remember(said)
            self._describe(said)

    def _look_inside(self, question: Question) -> None:
        self._tell_users((users.root_of(question.pid, self._host),), question.container)

    def _tell_users(self, places: Iterable[Path | None], container: str) -> None:
        """Tell the users of a container, once."""
        with self._users:
            if container in self._with_users:
                return
            told = users.of((place for place in places if place is not None), container)
            if told:
                self._with_users[container] = None
            for name, values in told:
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
