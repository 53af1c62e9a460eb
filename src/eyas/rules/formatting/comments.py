"""Comments of a YAML text with their places; YAML's own reader throws them away."""

from __future__ import annotations

from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its line from 0, its text with `#`, and whether it has the line to itself."""

    line: int
    text: str
    alone: bool


def find(text: str) -> list[Comment]:
    """Comments in the order of the text."""
    inside = _scalars(text)
    found: list[Comment] = []
    start = 0
    for number, row in enumerate(text.split("\n")):
        at = _comment(row, start, inside)
        if at is not None:
            found.append(Comment(number, row[at:].rstrip(), not row[:at].strip()))
        start += len(row) + 1
    return found


def _scalars(text: str) -> list[tuple[int, int]]:
    """Ranges of the text that hold values, where `#` is an ordinary character."""
    tokens = yaml.scan(text, Loader=yaml.SafeLoader)
    return [
        (token.start_mark.index, token.end_mark.index)
        for token in tokens
        if isinstance(token, yaml.ScalarToken)
    ]


def _comment(row: str, start: int, inside: list[tuple[int, int]]) -> int | None:
    at = row.find("#")
    while at >= 0:
        free = at == 0 or row[at - 1] in " \t"
        if free and not any(begin <= start + at < end for begin, end in inside):
            return at
        at = row.find("#", at + 1)
    return None
