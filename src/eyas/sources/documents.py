"""The records of a body as Python sees them, and records with something of ours in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from eyas.sources.card import Record, Source


def records(body: bytes, source: Source) -> Iterator[Record]:
    """Records of a body, by the source's own decoder where it has one."""
    return iter(source.decode(body)) if source.decode is not None else documents(body, source)


class Lines:
    """Records as lines of JSON, up to the one at which the decoder fails: `fault` says how."""

    def __init__(self, body: bytes, source: Source) -> None:
        self._body, self._source = body, source
        self.fault = ""

    def __iter__(self) -> Iterator[bytes]:
        count = 0
        try:
            for record in records(self._body, self._source):
                yield record.line()
                count += 1
        except Exception as error:  # decoders are of packages too, whose faults are theirs
            reason = f"{type(error).__name__}: {error}"[:300]
            self.fault = f"{reason}; {count} records before it are judged" if count else reason


def documents(body: bytes, source: Source) -> Iterator[Record]:
    """Records of a body: documents one after another, lists, and lists under the keys of the source.

    A line that is no JSON stays as it is: the core says what is wrong with it.
    """
    decoder, text, at = json.JSONDecoder(), body.decode("utf-8", "replace"), 0
    while (at := _next(text, at)) < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield Record(text[at:end].encode())
            at = end
            continue
        yield from map(_record, _listed(document, source))


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _listed(document: Any, source: Source) -> list[Any]:
    if isinstance(document, dict):
        found = (document[key] for key in source.lists if isinstance(document.get(key), list))
        return next(found, [document])
    return document if isinstance(document, list) else [document]


def _record(document: Any) -> Record:
    return Record(document if isinstance(document, dict) else json.dumps(document).encode())


def with_ours(record: Record, name: str, value: Any) -> Record:
    """A record with a value of ours under `/eyas/NAME`."""
    data = dict(record.data) if isinstance(record.data, Mapping) else {}
    ours = data.get("eyas")
    return replace(record, data={**data, "eyas": {**(ours if isinstance(ours, dict) else {}), name: value}})
