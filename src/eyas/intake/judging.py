"""One source's rules over its bodies: matches become alerts whose ids are the same whenever the event comes again."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from eyas import _core, alert, lang, pipeline, rules
from eyas.alert import Alert
from eyas.catalog import Catalog
from eyas.rules import Compiled
from eyas.sources import documents
from eyas.sources.added import ready
from eyas.sources.card import Source
from eyas.transports.parcel import Parcel

LONGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a parcel held."""

    alerts: list[Alert]
    events: int
    refusals: list[tuple[int, str]]
    skipped: int = 0
    skipped_at: int | None = None
    untimed: int = 0
    untimed_at: int | None = None


class Judge:
    """The rules of one source. Used by one thread at a time."""

    def __init__(
        self, source: Source, active: Sequence[Compiled], known: Catalog, matching: str = "all"
    ) -> None:
        self._rules = [rule for rule in active if rule.source == source.name]
        self.source = ready(source, self._rules)
        identified = [_identified(rule, source, known) for rule in self._rules]
        ground = known.of_source(source.name)
        declarations = {source.name: known.sources[source.name]().declaration} if ground else {}
        program = _core.Program(rules.program(identified, matching, declarations), source.name)
        self._host = alert.hostname()
        self._bodies = _core.Bodies(program, hostname=self._host, limit=LONGEST)

    def judge(self, parcel: Parcel) -> Judgement:
        """Judge every record of a parcel."""
        body, faults = self._decoded(parcel.body)
        matches, events, refusals, skips, untimed = self._bodies.judge(body, time.time_ns())
        alerts = list(self._alerts(matches)) if matches else []
        return Judgement(alerts, events, [*faults, *refusals], *skips, *untimed)

    def _decoded(self, body: bytes) -> tuple[bytes, list[tuple[int, str]]]:
        """The records as lines, and what the decoder stumbled over."""
        if self.source.decode is None:
            return body, []
        lines = documents.Lines(body, self.source)
        made = b"\n".join(lines)
        return made, [(0, lines.fault)] if lines.fault else []

    def _alerts(self, matches: Sequence[_core.Match]) -> Iterator[Alert]:
        seen: Counter[str] = Counter()
        for match in matches:
            raised = pipeline.alert_of(match, self._rules[match.rule], self._host)
            own, whole = (value[0] for value in match.values[-2:])
            known = bool(self.source.identity) and own != NOTHING
            key = own if known else whole
            # Of an event that has an id and no time, the time is that of its arrival: another when it comes again.
            when = match.ts if match.timed or not known else ""
            place = f"{raised.rule}\0{when}\0{key}"
            seen[place] += key is whole
            identity = hashlib.blake2b(f"{place}\0{seen[place]}".encode("utf-8", "replace"), digest_size=12)
            yield replace(raised, eyas={**raised.eyas, "id": identity.hexdigest()})


NOTHING = "<NA>"


def _identified(rule: Compiled, source: Source, known: Catalog) -> Compiled:
    """A rule whose matches carry the service's id of the event, and the whole event."""
    ground = known.of_source(source.name)
    assert ground is not None
    pointer = source.identity or "/"
    text = f"%json.value[{pointer}] %json.obj"
    wanted = lang.template(text, ground).operands
    return replace(rule, operands=(*rule.operands, *wanted))


def judges(
    names: Iterable[str], active: Sequence[Compiled], known: Catalog, matching: str = "all"
) -> dict[str, Judge]:
    """A judge for each of some sources."""
    from eyas.sources import members

    found = ((name, members.find(name)) for name in sorted(set(names)))
    return {name: Judge(source, active, known, matching) for name, source in found if source is not None}
