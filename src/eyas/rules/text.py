"""A condition that is put together from several places, and remembers which character came from where."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from eyas.rules.problem import Place

Locate = Callable[[int], Place]


@dataclass(slots=True)
class Source:
    """Text in pieces: start in the whole, start in the origin, and how the origin is located."""

    text: str = ""
    pieces: list[tuple[int, int, Locate]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, locate: Locate) -> Source:
        """Make a source of one piece."""
        return cls(text, [(0, 0, locate)])

    def place(self, offset: int) -> Place:
        """Place of a character."""
        at = bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1
        start, origin, locate = self.pieces[max(at, 0)]
        return locate(origin + max(0, offset - start))

    def joined(self, other: Source, between: str = " ") -> Source:
        """Two sources with a text between them."""
        shift = len(self.text) + len(between)
        moved = [(start + shift, origin, locate) for start, origin, locate in other.pieces]
        return Source(self.text + between + other.text, self.pieces + moved)

    def wrapped(self, before: str, after: str) -> Source:
        """The source between two texts."""
        moved = [(start + len(before), origin, locate) for start, origin, locate in self.pieces]
        return Source(before + self.text + after, moved)

    def replaced(self, start: int, end: int, new: str) -> Source:
        """The source with a range replaced; the new text is located where the old one began."""
        shift = len(new) - (end - start)
        at = bisect_right(self.pieces, start, key=lambda piece: piece[0]) - 1
        first, origin, locate = self.pieces[max(at, 0)]
        here = origin + max(0, start - first)
        kept = [piece for piece in self.pieces if piece[0] <= start]
        later = [(s + shift, o, where) for s, o, where in self.pieces if s >= end]
        tail = bisect_right(self.pieces, end, key=lambda piece: piece[0]) - 1
        tail_start, tail_origin, tail_locate = self.pieces[max(tail, 0)]
        pieces = [*kept, (start, here, lambda _: locate(here))]
        pieces.append((start + len(new), tail_origin + max(0, end - tail_start), tail_locate))
        return Source(self.text[:start] + new + self.text[end:], pieces + later)
