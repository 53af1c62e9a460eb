"""The process of a plugin: `python -m eyas.sources.binary.host` answers frames on standard input with frames on
standard output. What a plugin itself prints goes to standard error."""

from __future__ import annotations

import collections
import ctypes
import json
import os
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from eyas.sources.binary import abi, frame
from eyas.sources.binary.library import Library, PluginError
from eyas.sources.binary.registry import Registry

NOW = 2**64 - 1
ENOUGH = 4 << 20  # bytes of records after which a batch is handed over


@dataclass(slots=True)
class Guest:
    """A plugin of this process, with the fields that rules ask it for."""

    library: Library
    extracts: bool
    parses: bool
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
        self.beside: collections.deque[bytes] = collections.deque()

    def _guest(self, source: str, plugin: dict[str, str]) -> Guest:
        library = Library(plugin["library"], self.registry)
        library.start(plugin["config"])
        return Guest(library, library.takes(source, "extract"), library.takes(source, "parse"))

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
            if guest.library.beside:
                guest.library.listen(self.beside.append)

    def next(self) -> tuple[bytes, bool]:
        """Give a batch of records, one JSON document a line, and whether the source has ended."""
        lines: list[bytes] = []
        size, ended = 0, False
        while not ended and size < ENOUGH:
            events, ended = self.guests[0].library.next()
            arrived = [self.beside.popleft() for _ in range(len(self.beside))]
            for event in (*arrived, *events):
                lines.append(self._record(event))
                size += len(lines[-1])
            if not events:
                break
        return b"\n".join(lines), ended

    def look(self, records: Sequence[tuple[int, str]]) -> list[dict[str, dict[str, Any]]]:
        """Fields of records of another source: each with its time, and its JSON as the payload of an event."""
        found = []
        for at, text in records:
            raw = _event(at, text.encode("utf-8", "surrogatepass"))
            self.count += 1
            buffer = ctypes.create_string_buffer(raw, len(raw))
            event = abi.EventInput(ctypes.addressof(buffer), self.count, self.source)
            self._parse(event, abi.PLUGIN_EVENT)
            found.append(self._fields(event, abi.PLUGIN_EVENT))
        return found

    def _parse(self, event: abi.EventInput, kind: int) -> None:
        for guest in self.guests:
            if guest.parses:
                guest.library.parse(event, kind)

    def _record(self, raw: bytes) -> bytes:
        self.count += 1
        buffer = ctypes.create_string_buffer(raw, len(raw))
        head = abi.Event.from_buffer(buffer)
        if head.ts == NOW:
            head.ts = time.time_ns()
        event = abi.EventInput(ctypes.addressof(buffer), self.count, self.source)
        self._parse(event, head.type)
        record: dict[str, Any] = {"t": head.ts, "f": self._fields(event, head.type)}
        parameters = _parameters(raw)
        if head.type == abi.ASYNC_EVENT and len(parameters) > 1:
            record["n"] = parameters[1].rstrip(b"\0").decode(errors="replace")
        elif len(parameters) > 1 and (payload := _json(parameters[1])) is not None:
            record["p"] = payload
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
            guest.library.close()


def _event(at: int, payload: bytes) -> bytes:
    """An event of a source: its number, which is not known here, and the payload."""
    size = abi.HEADER + 8 + 4 + len(payload)
    return struct.pack("<QQIHIIII", at, NOW, size, abi.PLUGIN_EVENT, 2, 4, len(payload), 0) + payload


def _parameters(raw: bytes) -> list[bytes]:
    """Parameters of an event whose lengths have four bytes."""
    count = min(struct.unpack_from("<I", raw, abi.HEADER - 4)[0], 16)
    at = abi.HEADER + 4 * count
    if at > len(raw):
        return []
    found = []
    for length in struct.unpack_from(f"<{count}I", raw, abi.HEADER):
        found.append(raw[at : at + length])
        at += length
    return found


def _json(payload: bytes) -> Any:
    text = payload.strip(b"\0 \t\r\n")
    if not text.startswith((b"{", b"[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def answers(requests: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
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
                    yield {"fields": host.look(request["records"])}, b""
                case "open" if host:
                    host.open(request["parameters"])
                    yield {}, b""
                case "next" if host:
                    body, ended = host.next()
                    yield {"ended": ended}, body
                case other:
                    yield {"error": f"'{other}' is not expected now"}, b""
        except PluginError as error:
            yield {"error": str(error)}, b""
    if host is not None:
        host.close()


def requests(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Requests until the other side ends."""
    while True:
        try:
            yield frame.receive(stream)[0]
        except frame.FrameError:
            return


def main() -> None:
    """Serve until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for header, body in answers(requests(sys.stdin.buffer)):
        frame.send(out, header, body)


if __name__ == "__main__":
    main()
