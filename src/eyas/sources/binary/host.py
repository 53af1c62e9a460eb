"""The process of a plugin: `python -m eyas.sources.binary.host` answers frames on standard input with frames on
standard output. What a plugin itself prints goes to standard error."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from eyas.sources.binary import abi, frame, layout
from eyas.sources.binary.inbox import Inbox, Waiting
from eyas.sources.binary.library import Library, PluginError
from eyas.sources.binary.registry import Registry

PR_SET_PDEATHSIG = 1
Answer = tuple[dict[str, Any], bytes]
ENOUGH = 4 << 20  # bytes of records after which a batch is handed over


@dataclass(slots=True)
class Guest:
    """A plugin of this process, with the fields that rules ask it for."""

    library: Library
    extracts: bool
    parses: bool
    sends: bool = False
    names: list[tuple[str, str]] = field(default_factory=list)
    requests: Any = ()


class Host:
    """The plugins of one event source: the first gives events, all of them may extract fields and parse."""

    def __init__(self, source: str, plugins: Sequence[dict[str, str]]) -> None:
        self.registry = Registry()
        self.guests = [self._guest(source, one) for one in plugins]
        self.source = source.encode()
        self.count = 0
        self.wants_info = False
        self.beside = Waiting()

    def _guest(self, source: str, plugin: dict[str, str]) -> Guest:
        library = Library(plugin["library"], self.registry)
        library.start(plugin["config"])
        takes = (library.takes(source, "extract"), library.takes(source, "parse"), library.sends_to(source))
        return Guest(library, *takes)

    def ask(self, fields: Sequence[tuple[str, str | int | None]], wants_info: bool) -> None:
        """Take the fields that rules ask for: names with their arguments."""
        self.wants_info = wants_info
        left = list(fields)
        for guest in self.guests:
            known = {one["name"]: number for number, one in enumerate(guest.library.fields)}
            own = [one for one in left if guest.extracts and one[0] in known]
            left = [one for one in left if one not in own]
            guest.names = [(name, "" if argument is None else str(argument)) for name, argument in own]
            guest.requests = guest.library.requests([(known[name], argument) for name, argument in own])

    def open(self, parameters: str) -> None:
        """Open the source."""
        self.guests[0].library.open(parameters)
        for guest in self.guests:
            guest.library.capture(True)
            if guest.library.beside and guest.sends:
                guest.library.listen(Inbox(guest.library, self.beside))

    def next(self) -> Iterator[Answer]:
        """Give a batch of records, each as JSON, and whether the source has ended.

        Each is handed over before the next event is looked at, so that a crash takes no other event along.
        """
        size = 0
        while size < ENOUGH:
            own = self.guests[0].library
            events, ended = own.next()
            yield from self._records(self.beside.take())
            for at in events:
                try:
                    record = self._record(layout.taken(at, abi.PLUGIN_EVENT, own.number))
                except layout.OddError as error:
                    yield {"more": True, "odd": str(error)}, b""
                    continue
                size += len(record)
                yield {"more": True}, record
            if ended or not events:
                yield from self._records(self.beside.take() if ended else ())
                break
        yield {"ended": ended, "late": self.beside.lost()}, b""

    def _records(self, events: Iterable[bytes]) -> Iterator[Answer]:
        for event in events:
            yield {"more": True}, self._record(event)

    def tell(self) -> dict[str, Any]:
        """Figures that plugins keep of themselves, by the name of the plugin, and how far the source is."""
        figures = {guest.library.name: found for guest in self.guests if (found := guest.library.metrics())}
        return {"metrics": figures, "progress": self.guests[0].library.progress()}

    def look(self, records: Sequence[tuple[int, str]]) -> Iterator[dict[str, dict[str, Any]]]:
        """Fields of records of another source: each with its time, and its JSON as the payload of an event."""
        for at, text in records:
            raw = layout.made(at, 0, text.encode("utf-8", "surrogatepass"))
            self.count += 1
            buffer = ctypes.create_string_buffer(raw, len(raw))
            event = abi.EventInput(ctypes.addressof(buffer), self.count, self.source)
            self._parse(event, abi.PLUGIN_EVENT)
            yield self._fields(event, abi.PLUGIN_EVENT)

    def _parse(self, event: abi.EventInput, kind: int) -> None:
        for guest in self.guests:
            if guest.parses:
                guest.library.parse(event, kind)

    def _record(self, raw: bytes) -> bytes:
        self.count += 1
        buffer = ctypes.create_string_buffer(raw, len(raw))
        head = abi.Event.from_buffer(buffer)
        if head.ts == layout.NOW:
            head.ts = time.time_ns()
        event = abi.EventInput(ctypes.addressof(buffer), self.count, self.source)
        self._parse(event, head.type)
        record: dict[str, Any] = {"t": head.ts, "f": self._fields(event, head.type)}
        parameters = layout.parameters(raw)
        record["p"] = _payload(parameters[-1])
        if head.type == abi.ASYNC_EVENT:
            record["n"] = layout.name(raw)
        if self.wants_info and (info := self.guests[0].library.text_of(event)) is not None:
            record["i"] = info
        return json.dumps(record, ensure_ascii=False).encode(errors="replace")

    def _fields(self, event: abi.EventInput, kind: int) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for guest in self.guests:
            if not guest.extracts:
                continue
            values = guest.library.extract(event, kind, guest.requests)
            for (name, argument), value in zip(guest.names, values, strict=False):
                found.setdefault(name, {})[argument] = value
        return found

    def close(self) -> None:
        """End all plugins."""
        for guest in reversed(self.guests):
            guest.library.capture(False)
            guest.library.close()


def _payload(event: bytes) -> Any:
    """What an event holds: JSON, or text; bytes that are no text are written as such."""
    text = event.strip(b"\0 \t\r\n")
    if text.startswith((b"{", b"[")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return text.decode(errors="backslashreplace")


def answers(requests: Iterator[dict[str, Any]]) -> Iterator[Answer]:
    """Answer each request; a failure of a plugin is an answer too."""
    host: Host | None = None
    for request in requests:
        try:
            match request["op"]:
                case "describe":
                    yield Library(request["library"]).describe(), b""
                case "start":
                    host = Host(request["source"], request["plugins"])
                    yield {}, b""
                case "ask" if host:
                    host.ask([(name, argument) for name, argument in request["fields"]], request["info"])
                    yield {}, b""
                case "look" if host:
                    for found in host.look(request["records"]):
                        yield {"fields": found, "more": True}, b""
                    yield {}, b""
                case "open" if host:
                    host.open(request["parameters"])
                    yield {}, b""
                case "next" if host:
                    yield from host.next()
                case "tell" if host:
                    yield host.tell(), b""
                case "places" if host:
                    yield {"places": host.guests[0].library.places()}, b""
                case "configure" if host:
                    yield {"taken": host.guests[request["number"]].library.configure(request["config"])}, b""
                case other:
                    yield {"error": f"'{other}' is not expected now"}, b""
        except PluginError as error:
            yield {"error": str(error)}, b""
    if host is not None:
        host.close()


def requests(ends: frame.Ends) -> Iterator[dict[str, Any]]:
    """Requests until the other side ends."""
    while True:
        try:
            yield frame.receive(ends)[0]
        except frame.FrameError:
            return


def die_with_parent() -> None:
    """End with whoever asks, even in the middle of a call that never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Serve until standard input ends."""
    ends = frame.Plain(os.dup(1), os.dup(0))
    # Plugins neither read what is for us nor write among our answers.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    die_with_parent()
    born = os.getpid()
    for header, body in answers(requests(ends)):
        if os.getpid() != born:  # a plugin has forked: what it does there is its own
            os._exit(0)
        frame.send(ends, header, body)


if __name__ == "__main__":
    main()
