"""Checks regular expressions for the engine: POSIX syntax, so no Perl classes, lazy repeats or lookaround."""

from __future__ import annotations

import re

_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}")
_CLASSES = frozenset(
    {
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    }
)
_LETTER_ESCAPES = frozenset("aftnrvC")
_HEX = re.compile(r"x(?:[0-9a-fA-F]{2}|\{[0-9a-fA-F]{1,6}\})")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_MAX_REPEAT = 1000
_PLAIN = re.compile(r"(?:[^\\.+*?()\[\]{}|^$]|\\[^a-zA-Z0-9])*")


def fault_of(pattern: str) -> tuple[int, str] | None:
    """Find the first thing wrong with a pattern: its offset and what it is."""
    at, depth, can_repeat = 0, 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            end = _escape_end(pattern, at)
            if end is None:
                return at, "invalid escape sequence"
            at, can_repeat = end, True
            continue
        if char == "[":
            found = _class_end(pattern, at)
            if isinstance(found, str):
                return at, found
            at, can_repeat = found, True
            continue
        if char in "*+?":
            if not can_repeat:
                return at, f"nothing to repeat before '{char}'"
        elif char == "{" and (match := _REPEAT.match(pattern, at)):
            wrong = _repeat_fault(match, can_repeat)
            if wrong:
                return at, wrong
            at = match.end() - 1
        elif char == "(":
            depth, can_repeat = depth + 1, False
        elif char == ")":
            if depth == 0:
                return at, "unexpected ')'"
            depth, can_repeat = depth - 1, True
        else:
            can_repeat = char != "|"
        at += 1
    return (len(pattern), "missing closing ')'") if depth else None


def simpler(pattern: str) -> str | None:
    """Name the plainer operator that does what the pattern does, if there is one."""
    body = pattern
    head, tail = body.startswith(".*"), body.endswith(".*") and not body.endswith("\\.*")
    body = body[2:] if head else body
    body = body[:-2] if tail and len(body) >= 2 else body
    if not _PLAIN.fullmatch(body):
        return None
    if head and tail:
        return "contains"
    if not body:
        return "exists"
    if head:
        return "endswith"
    return "startswith" if tail else "="


def _repeat_fault(match: re.Match[str], can_repeat: bool) -> str | None:
    if not can_repeat:
        return "nothing to repeat before '{'"
    if max(len(match[1]), len(match[3] or "")) > 4:
        return "repeat count too large"
    low = int(match[1])
    high = int(match[3]) if match[3] else low
    return "bad repeat count" if low > _MAX_REPEAT or high > _MAX_REPEAT or high < low else None


def _escape_end(pattern: str, at: int) -> int | None:
    if at + 1 >= len(pattern):
        return None
    char = pattern[at + 1]
    if char in _LETTER_ESCAPES:
        return at + 2
    if char.isascii() and not char.isalnum():
        return at + 2
    match = _HEX.match(pattern, at + 1) or _OCTAL.match(pattern, at + 1)
    if match is None or (char == "x" and int(match.group()[1:].strip("{}"), 16) > 0x10FFFF):
        return None
    return match.end()


def _class_end(pattern: str, at: int) -> int | str:
    """Offset behind a bracket expression, or what is wrong with it."""
    here = at + 1
    if pattern.startswith("^", here):
        here += 1
    first = True
    while here < len(pattern) and (first or pattern[here] != "]"):
        first = False
        if pattern.startswith("[:", here) and (end := pattern.find(":]", here + 2)) >= 0:
            if pattern[here + 2 : end].lstrip("^") not in _CLASSES:
                return "invalid character class"
            here = end + 2
            continue
        low = _class_char(pattern, here)
        if low is None:
            return "invalid escape sequence"
        here = low[1]
        if pattern.startswith("-", here) and here + 1 < len(pattern) and pattern[here + 1] != "]":
            high = _class_char(pattern, here + 1)
            if high is None:
                return "invalid escape sequence"
            if high[0] < low[0]:
                return "invalid character range"
            here = high[1]
    return here + 1 if here < len(pattern) else "missing closing ']'"


def _class_char(pattern: str, at: int) -> tuple[str, int] | None:
    if pattern[at] != "\\":
        return pattern[at], at + 1
    end = _escape_end(pattern, at)
    if end is None or pattern[at + 1] == "C":
        return None
    body = pattern[at + 1 : end]
    if body[0] == "x":
        return chr(int(body[1:].strip("{}"), 16)), end
    if body[0].isdigit():
        return chr(int(body, 8)), end
    return {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}.get(body, body), end
