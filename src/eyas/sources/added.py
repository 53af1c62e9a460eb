"""Fields that packages add to a source by looking at its records in Python: only where rules ask for one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from eyas.rules import Compiled
from eyas.sources import documents
from eyas.sources.asked import asked_of
from eyas.sources.card import Addition, Look, Record, Source
from eyas.transports.status import Status


def ready(source: Source, rules: Iterable[Compiled]) -> Source:
    """The source for these rules: with what packages make of its records, if one of the rules asks for it."""
    names = {field.name for one in source.additions for field in one.fields}
    asked = {name for name, _ in asked_of(rules, source.name, names).fields} if names else set()
    looks = [Looking(source.name, one) for one in source.additions if asked & {f.name for f in one.fields}]
    looks = [one for one in looks if one.look is not None]
    return replace(source, decode=_decoder(source, looks)) if looks else source


def _decoder(source: Source, looks: list[Looking]) -> Any:
    def decode(body: bytes) -> Iterator[Record]:
        for record in documents.records(body, source):
            for one in looks:
                record = one(record)
            yield record

    return decode


class Looking:
    """What one package makes of the records of one source; where it fails, the record goes on without."""

    def __init__(self, source: str, addition: Addition) -> None:
        self.look: Look | None = addition.look
        self._name = addition.name
        self.status = Status(f"{addition.name} on {source}", where=f"package with the fields {addition.name}")

    def __call__(self, record: Record) -> Record:
        """The record with what the package made of it."""
        if self.look is None or not isinstance(record.data, Mapping):
            return record
        try:
            found = dict(self.look(record.data))
            made = documents.with_ours(record, self._name, found)
            made.line()
        except Exception as error:  # a fault of the package, whatever it is
            self.status.refuse("not looked at", self._name, f"{type(error).__name__}: {error}"[:300])
            return record
        return made
