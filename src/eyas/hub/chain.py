"""Which calls belong to a credential: its own, those of whoever made it, and those of the credentials it made.

A stolen key is rarely used for long: it assumes a role, or makes another key, and goes on with that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from eyas.hub import cloud
from eyas.hub.cloud import Call, Chapter

MOST_OTHERS = 50


@dataclass(slots=True)
class Chain:
    """The calls that belong together, in their order, and the names under which they were made."""

    names: set[str]
    calls: list[Call] = field(default_factory=list)


def follow(calls: Iterable[Call], names: set[str]) -> Chain:
    """Take the calls of some names, then those that lead to them or on from them, until nothing is added."""
    found = Chain(set(names))
    open_ones = [(call, cloud.names_of(call), cloud.made(call)) for call in calls]
    grown = True
    while grown:
        grown, rest = False, []
        for call, own, made in open_ones:
            if not (own | made) & found.names:
                rest.append((call, own, made))
                continue
            found.calls.append(call)
            # Whoever made a credential is known by all names; what it made, by the credential alone, as a role is shared.
            more = made if own & found.names else own | made
            grown |= not more <= found.names
            found.names |= more
        open_ones = rest
    found.calls.sort(key=lambda call: call.ts)
    return found


def others(calls: Iterable[Call], chain: Chain) -> Chapter:
    """Who else came from the addresses of a chain."""
    places = {address for call in chain.calls for address in cloud.addresses(call)}
    mine = {id(call) for call in chain.calls}
    seen: Counter[tuple[str, str, str]] = Counter()
    for call in calls:
        if id(call) not in mine:
            for address in places.intersection(cloud.addresses(call)):
                seen[address, call.source, cloud.who(call)] += 1
    return Chapter("Others from the same addresses", _lines(seen.most_common(MOST_OTHERS)), len(seen))


def _lines(seen: Sequence[tuple[tuple[str, str, str], int]]) -> list[str]:
    return [
        f"{address}  {source}  {who or 'nobody named'}  {'once' if count == 1 else f'{count} times'}"
        for (address, source, who), count in seen
    ]
