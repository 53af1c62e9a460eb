"""Unified diffs: the lines that were added, with their file and number, and the secrets in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eyas.sources.reach import secrets

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class Added:
    """One added line."""

    file: str
    number: int
    text: str


def added(diff: str) -> Iterator[Added]:
    """Every added line."""
    file, number, inside = "", 0, False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            inside = False
        elif line.startswith("+++ ") and not inside:
            file = line[4:].strip('"\r').removeprefix("b/")
        elif (hunk := _HUNK.match(line)) is not None:
            number, inside = int(hunk[1]), True
        elif inside and line.startswith("+"):
            yield Added(file, number, line[1:])
            number += 1
        elif inside and line.startswith(" "):
            number += 1


def findings(diff: str) -> list[dict[str, Any]]:
    """Secrets of a diff by file, in the form that the record keeps."""
    files: dict[str, list[dict[str, Any]]] = {}
    for line in added(diff):
        matches = files.setdefault(line.file, [])
        for secret in secrets.found(line.text):
            matches.append({"desc": secret.kind, "shown": secret.shown, "line": line.number})
    return [{"name": name, "matches": matches} for name, matches in files.items()]
