"""A scene as text: one line for each thing that happens, `WHO VERB WORDS… KEY=VALUE…`.

    nginx        is user=www-data in=web
    nginx        spawn /bin/sh -c id
    sshd>bash    open /etc/shadow
    11 bash      openat name=/etc/passwd flags=O_RDWR

`WHO` is a process by name, `PARENT>CHILD` places it below another, a number in front says its thread id.
`#` begins a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 2**31 - 1

_BLANKS = re.compile(r"[ \t]*")
_BARE = re.compile(r"[^ \t\"'\[]+")
_KEY = re.compile(r"[a-z_][a-z0-9_]*=", re.IGNORECASE)


class SceneError(Exception):
    """A line that cannot be played. `offset` is its place in the text."""

    def __init__(self, offset: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Word:
    """One word, without its quotes; `key` when it was written `key=word`."""

    text: str
    offset: int
    key: str = ""
    items: tuple[str, ...] | None = None

    @property
    def whole(self) -> str:
        """The word with its key, as an argument of a program."""
        return f"{self.key}={self.text}" if self.key else self.text


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a scene."""

    who: Word
    number: int | None
    verb: Word
    rest: tuple[Word, ...]

    @property
    def plain(self) -> list[Word]:
        """Words without a key."""
        return [word for word in self.rest if not word.key]

    @property
    def settings(self) -> dict[str, Word]:
        """Words with a key."""
        return {word.key: word for word in self.rest if word.key}


def whole(text: str) -> int | None:
    """A whole number that the kernel can hold as an id; None when it is none."""
    try:
        number = int(text, 0) if len(text) <= 20 else -1
    except ValueError:
        return None
    return number if 0 <= number <= MOST else None


def read(text: str) -> list[Line]:
    """Read the lines of a scene."""
    lines: list[Line] = []
    start = 0
    for row in text.split("\n"):
        words = list(_words(row, start))
        if words:
            lines.append(_line(words))
        start += len(row) + 1
    return lines


def _line(words: list[Word]) -> Line:
    number = None
    if words[0].text.isdecimal() and len(words) > 1:
        number = whole(words[0].text)
        if not number:
            raise SceneError(words[0].offset, f"`{words[0].text}` is no thread id", f"from 1 to {MOST}")
        words = words[1:]
    if len(words) < 2:
        raise SceneError(words[0].offset, "a line says who does what", "for example `bash open /etc/shadow`")
    return Line(words[0], number, words[1], tuple(words[2:]))


def _words(row: str, start: int) -> Iterator[Word]:
    at = _skip(row, 0)
    while at < len(row) and row[at] != "#":
        begin = at
        key = _KEY.match(row, at)
        if key:
            at = key.end()
        items = None
        if key and row[at : at + 1] == "[":
            items, at = _items(row, at, start)
            text = " ".join(items)
        else:
            text, at = _value(row, at, start)
        name = key.group()[:-1] if key else ""
        yield Word(text, start + begin, name, items)
        at = _skip(row, at)


def _skip(row: str, at: int) -> int:
    blanks = _BLANKS.match(row, at)
    return blanks.end() if blanks else at


def _value(row: str, at: int, start: int) -> tuple[str, int]:
    """A word up to the next blank; quoted parts may hold blanks."""
    parts: list[str] = []
    while at < len(row) and row[at] not in " \t":
        if row[at] in "\"'":
            end = _quote(row, at, start)
            parts.append(_unescaped(row[at + 1 : end]) if row[at] == '"' else row[at + 1 : end])
            at = end + 1
            continue
        bare = _BARE.match(row, at)
        end = bare.end() if bare else at + 1
        parts.append(row[at:end])
        at = end
    return "".join(parts), at


def _quote(row: str, at: int, start: int) -> int:
    end = at + 1
    while end < len(row) and row[end] != row[at]:
        end += 2 if row[end] == "\\" and row[at] == '"' else 1
    if end >= len(row):
        raise SceneError(start + at, "the quote does not end")
    return end


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _items(row: str, at: int, start: int) -> tuple[tuple[str, ...], int]:
    """A list, `[-c, "a b"]`."""
    end = row.find("]", at)
    if end < 0:
        raise SceneError(start + at, "the list does not end, `]` is missing")
    inside, items, here = row[:end], [], at + 1
    while here < end:
        here = _skip(inside, here)
        if here >= end:
            break
        if inside[here] in "\"'":
            close = _quote(inside, here, start)
            items.append(inside[here + 1 : close])
            here = inside.find(",", close)
        else:
            comma = inside.find(",", here)
            items.append(inside[here : comma if comma >= 0 else end].strip())
            here = comma
        here = end if here < 0 else here + 1
    return tuple(items), end + 1
