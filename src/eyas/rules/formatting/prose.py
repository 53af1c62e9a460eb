"""Long texts in lines: conditions break before `and` and `or`, prose between words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_TOKEN = re.compile(
    r"""\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[(),]|(?:\[[^\]]*\]|[^\s"'(),\[])+|.""", re.DOTALL
)
_JOINTS = ("and", "or")


def squeezed(condition: str) -> str:
    """A condition with single blanks between its words; quoted texts and arguments in brackets stay as they are."""
    text = ""
    for token in _TOKEN.findall(condition.strip()):
        if token.isspace():
            text += "" if text.endswith((" ", "(")) else " "
        elif token in ("),"):
            text = text.rstrip(" ") + token + (" " if token == "," else "")
        else:
            text += token
    return text.rstrip(" ")


def unwrapped(text: str) -> str:
    """A description with single blanks between its words."""
    return " ".join(text.split())


def condition_lines(condition: str, width: int) -> list[str]:
    """A condition over several lines: one for each part that `and` or `or` joins, long parts broken again."""
    parts = _parts(squeezed(condition), 0)
    return [line for part in parts for line in _broken(part, 0, width)]


def prose_lines(text: str, width: int) -> list[str]:
    """A text over several lines."""
    return list(_filled(text.split(" "), width))


def _broken(part: str, depth: int, width: int) -> Iterator[str]:
    """Lines of a part; one that is too long breaks where its parentheses one level deeper join."""
    if len(part) <= width:
        yield part
        return
    inner = _parts(part, depth + 1)
    if len(inner) == 1:
        yield from _filled(_words(part), width)
    elif all(len(_parts(one, depth + 2)) == 1 for one in inner):
        yield from _filled((piece for one in inner for piece in _whole(one, width)), width)
    else:
        for one in inner:
            yield from _broken(one, depth + 1, width)


def _whole(part: str, width: int) -> list[str]:
    """A part in one piece, or its words when no line holds it."""
    return [part] if len(part) <= width else _words(part)


def _parts(text: str, level: int) -> list[str]:
    """A condition cut before each `and` and `or` that stands in at most `level` parentheses."""
    depth, parts = 0, [""]
    for token in _TOKEN.findall(text):
        if token in _JOINTS and depth <= level and parts[-1].strip():
            parts.append("")
        depth += (token == "(") - (token == ")")
        parts[-1] += token
    return [part.strip() for part in parts]


def _words(text: str) -> list[str]:
    """Words of a condition; what stands in quotes or brackets is one word."""
    words = [""]
    for token in _TOKEN.findall(text):
        if token == " ":
            words.append("")
        else:
            words[-1] += token
    return [word for word in words if word]


def _filled(pieces: Iterable[str], width: int) -> Iterator[str]:
    line = ""
    for piece in pieces:
        if line and len(line) + 1 + len(piece) > width:
            yield line
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    yield line
