"""Reading the words of a line: what a verb needs, numbers, lists, flags."""

from __future__ import annotations

from eyas.scene.script import MOST, Line, SceneError, Word, whole
from eyas.scene.stage import Params


def needed(line: Line, at: int, what: str) -> Word:
    """The word at a position; `what` says what is missing there."""
    if at >= len(line.plain):
        raise SceneError(line.verb.offset, f"`{line.verb.text}` needs {what}")
    return line.plain[at]


def number(word: Word) -> int:
    """A word as a number."""
    found = whole(word.text)
    if found is None:
        raise SceneError(word.offset, f"`{word.text}` is not a number", f"from 0 to {MOST}")
    return found


def listed(word: Word) -> list[str]:
    """A word as a list."""
    return list(word.items) if word.items is not None else [word.text]


def flags(word: Word, table: dict[str, str]) -> str:
    """Names joined by `|`, by a table."""
    parts = word.text.split("|")
    for part in parts:
        if part not in table:
            raise SceneError(word.offset, f"`{part}` is not known here", f"one of {', '.join(table)}")
    return "|".join(table[part] for part in parts)


def expect_settings_only(line: Line) -> None:
    """Reports a word that has no key."""
    if line.plain:
        word = line.plain[0]
        raise SceneError(word.offset, f"`{line.verb.text}` takes KEY=VALUE, found `{word.text}`")


def given(line: Line) -> Params:
    """Parameters that a line names."""
    return {
        key: list(word.items) if word.items is not None else word.text for key, word in line.settings.items()
    }
