"""The page of a fault: what a code means, an example, and how to write it instead."""

from __future__ import annotations

import re
from pathlib import Path

from eyas.lang import CODES
from eyas.rules.problem import ERRORS

FOLDER = Path(__file__).parents[4] / "spec" / "errors"

_CODE = re.compile(r"[EW]\d{3}|LOAD_[A-Z_]+")


def page(code: str) -> str | None:
    """The page of a code, or one line where the pages are not at hand; None when it is no code."""
    if not _CODE.fullmatch(code):
        return None
    file = FOLDER / f"{code}.md"
    if file.is_file():
        return file.read_text().rstrip()
    if code in CODES:
        return f"{code}: {CODES[code].title}, known in rule files as {CODES[code].load}"
    return f"{code}: {ERRORS[code]}" if code in ERRORS else None
