"""A fault in a rule file: what, how bad, where, and how to write it instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SNIPPET = 160
LONG = 600

ERRORS = {
    "LOAD_ERR_FILE_READ": "file read error",
    "LOAD_ERR_YAML_PARSE": "YAML parse error",
    "LOAD_ERR_YAML_VALIDATE": "error validating internal structure of YAML file",
    "LOAD_ERR_COMPILE_CONDITION": "error compiling condition",
    "LOAD_ERR_COMPILE_OUTPUT": "error compiling output",
    "LOAD_ERR_VALIDATE": "error validating rule, macro or list",
    "LOAD_ERR_EXTENSION": "error in extension item",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file: line and column from 1, offset in characters from 0, and the text of the line."""

    file: str
    line: int = 1
    column: int = 1
    offset: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `code` is the field's `LOAD_…` code, `detail` the finer one when there is one."""

    code: str
    message: str
    place: Place
    severity: str = "error"
    help: str = ""
    detail: str = ""
    items: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_error(self) -> bool:
        """Whether the rules cannot be put in force."""
        return self.severity == "error"

    def text(self) -> str:
        """Message, place, line with a caret, and hint, for a terminal."""
        at = self.place
        name = f"{self.code} {self.detail}".strip()
        lines = [f"{at.file}:{at.line}:{at.column}: {self.severity}: {_clipped(self.message)} [{name}]"]
        if self.items:
            lines.append("  in " + ", ".join(f"{kind} {_clipped(item)}".strip() for kind, item in self.items))
        if at.text:
            start = max(0, at.column - 1 - SNIPPET // 2)
            shown = _shown(at.text[start : start + SNIPPET])
            lines += [f"  | {shown}", f"  | {' ' * (at.column - 1 - start)}^"]
        if self.help:
            lines.append(f"  hint: {_clipped(self.help)}")
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """The same as data; the first keys are those of Falco's validation output."""
        at = self.place
        position = {"name": at.file, "line": at.line - 1, "column": at.column - 1, "offset": at.offset}
        locations = [
            {"item_type": kind, "item_name": name, "position": position} for kind, name in self.items
        ]
        return {
            "code": self.code,
            "codedesc": ERRORS.get(self.code, self.code),
            "message": self.message,
            "context": {
                "locations": locations
                or [{"item_type": "rules content", "item_name": "", "position": position}],
                "snippet": at.text[:SNIPPET],
            },
            "severity": self.severity,
            "detail": self.detail,
            "file": at.file,
            "line": at.line,
            "column": at.column,
            "hint": self.help,
        }


def _clipped(text: str) -> str:
    """Text of at most a few lines, safe to show."""
    return _shown(text if len(text) <= LONG else f"{text[:LONG]}…")


def _shown(text: str) -> str:
    """Text that a terminal can show: control characters become blanks."""
    return "".join(c if c.isprintable() else " " for c in text)
