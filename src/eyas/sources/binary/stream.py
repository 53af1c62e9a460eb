"""The events of a binary plugin as parcels of records."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eyas.errors import RunError
from eyas.rules import Compiled
from eyas.sources.asked import Asked, asked_of
from eyas.sources.binary.child import PATIENCE, Child
from eyas.sources.binary.outage import Outage
from eyas.sources.card import Source
from eyas.sources.reach.way import Way
from eyas.transports.parcel import Link, Parcel
from eyas.transports.status import Status

PAUSE = 0.03  # seconds until a plugin that has nothing is asked again


@dataclass(slots=True)
class Stream:
    """A source with the plugins that make it: the one that gives its events, then those that only extract."""

    source: Source
    plugins: tuple[Mapping[str, str], ...]  # library and config of each
    parameters: str
    asked: Asked = field(default_factory=Asked)

    def ask(self, rules: Iterable[Compiled]) -> None:
        """Turn to what these rules ask, from the next batch on."""
        self.asked = asked_of(rules, self.source.name, {one.name for one in self.source.fields})


def probe(stream: Stream) -> str:
    """Start the plugin and open its source."""
    with Child(stream.source.plugin) as child:
        _open(child, stream)
    return f"{stream.source.plugin} opens '{stream.parameters}'"


def parcels(stream: Stream, link: Link) -> Iterator[Parcel]:
    """Give batches of records until the source ends. A plugin that fails is started again, later each time."""
    link.status.where = f"plugin {stream.source.plugin}"
    outage = Outage(link.status, link.failed, stream.source.plugin)
    running: list[Child] = []
    threading.Thread(target=_end, args=(running, link), daemon=True).start()
    while not link.stop.is_set():
        try:
            with Child(stream.source.plugin) as child:
                running[:] = [child]
                yield from _batches(child, stream, link, outage)
                return
        except RunError as error:
            if link.stop.is_set() or link.wait(outage.failed(error)):
                return


def _batches(child: Child, stream: Stream, link: Link, outage: Outage) -> Iterator[Parcel]:
    asked = _open(child, stream)
    while not link.stop.is_set():
        if stream.asked is not asked:
            asked = _ask(child, stream)
        batch = Batch()
        failure = batch.fill(child)
        batch.count(link.status, f"plugin {stream.source.plugin}")
        if batch.records:
            yield Parcel(b"\n".join(batch.records), f"plugin {stream.source.plugin}")
        if failure is not None:
            raise failure
        outage.works()
        link.status.turn("running")
        if batch.ended:
            return
        if not batch.records:
            link.wait(PAUSE)


@dataclass(slots=True)
class Batch:
    """Records that a plugin gives at a time."""

    records: list[bytes] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)  # what is wrong with events that are none
    late: int = 0  # events from threads of plugins that found no room
    ended: bool = False

    def count(self, status: Status, origin: str) -> None:
        """Count what was left out."""
        for reason in self.odd:
            status.refuse("no event of the plugin", origin, reason)
        if self.late:
            status.refuse("no room", origin, "the plugin sends more than is taken", self.late)

    def fill(self, child: Child) -> RunError | None:
        """Ask for records. Those that came before a failure are good; the failure is returned."""
        try:
            for header, body in child.calls("next", timeout=PATIENCE):
                if "odd" in header:
                    self.odd.append(str(header["odd"]))
                elif header.get("more"):
                    self.records.append(body)
                else:
                    self.ended, self.late = bool(header.get("ended")), int(header.get("late", 0))
        except RunError as error:
            return error
        return None


def _open(child: Child, stream: Stream) -> Asked:
    child.call("start", source=stream.source.name, plugins=list(stream.plugins))
    asked = _ask(child, stream)
    child.call("open", parameters=stream.parameters)
    return asked


def _ask(child: Child, stream: Stream) -> Asked:
    asked = stream.asked
    child.call("ask", fields=asked.fields, info=asked.info)
    return asked


def _end(running: Sequence[Child], link: Link) -> None:
    """End a plugin that waits for its next event."""
    link.stop.wait()
    for child in running:
        child.kill()


VIA = Way("plugin", "Events of a binary plugin.", Stream, parcels, probe)
