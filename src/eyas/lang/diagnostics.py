"""Faults of conditions and outputs as data, and the list of every code there is.

A fault has its own code (`E101`); `load` gives the code that rule files of the field know it by.
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]

CONDITION = "LOAD_ERR_COMPILE_CONDITION"
OUTPUT = "LOAD_ERR_COMPILE_OUTPUT"
ADVICE = "LOAD_COMPILE_CONDITION"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of fault."""

    id: str
    name: str
    severity: str
    load: str
    title: str


CODES = {
    code.id: code
    for code in (
        Code("E001", "syntax", "error", CONDITION, "the text is not a condition"),
        Code("E002", "too-deep", "error", CONDITION, "nested too deeply"),
        Code("E003", "bad-escape", "error", CONDITION, "unknown escape in a quoted text"),
        Code("E004", "open-quote", "error", CONDITION, "a quoted text is not closed"),
        Code("E005", "too-large", "error", CONDITION, "the condition is too large"),
        Code("E101", "unknown-field", "error", CONDITION, "no field has this name"),
        Code("E102", "unknown-event", "error", CONDITION, "no event has this name"),
        Code("E103", "missing-argument", "error", CONDITION, "the field needs an argument"),
        Code("E104", "unexpected-argument", "error", CONDITION, "the field or transformer takes no argument"),
        Code("E105", "bad-argument", "error", CONDITION, "the argument has the wrong form"),
        Code("E106", "unresolved-name", "error", CONDITION, "a macro name is left in the condition"),
        Code("E201", "operator-type", "error", CONDITION, "the operator does not work on this type"),
        Code("E202", "bad-constant", "error", CONDITION, "the constant is not a value of the field's type"),
        Code("E203", "too-long", "error", CONDITION, "the constant is longer than 255 bytes"),
        Code("E204", "nul-byte", "error", CONDITION, "a text constant holds a NUL byte"),
        Code("E205", "bad-regex", "error", CONDITION, "the regular expression is not valid"),
        Code("E206", "type-mismatch", "error", CONDITION, "the two sides have different types"),
        Code(
            "E207", "no-right-side", "error", CONDITION, "the field or operator takes no field on the right"
        ),
        Code("E208", "no-transformer", "error", CONDITION, "the field cannot be transformed"),
        Code(
            "E209", "transformer-argument", "error", CONDITION, "the transformer does not take this argument"
        ),
        Code("E301", "output-syntax", "error", OUTPUT, "the output is not a template"),
        Code("E302", "output-field", "error", OUTPUT, "no field has this name"),
        Code("E303", "filter-only", "error", OUTPUT, "the field can be compared but not printed"),
        Code("W101", "field-as-text", "warning", ADVICE, "a constant is the name of a field or transformer"),
        Code(
            "W102",
            "simple-regex",
            "warning",
            ADVICE,
            "a plainer operator does what the regular expression does",
        ),
        Code("W103", "deprecated-field", "warning", "LOAD_DEPRECATED_ITEM", "the field is deprecated"),
        Code(
            "W104",
            "unsafe-na",
            "warning",
            "LOAD_UNSAFE_NA_CHECK",
            "`<NA>` is compared with a field that may be absent",
        ),
        Code(
            "W105",
            "half-a-field",
            "warning",
            "LOAD_UNKNOWN_FILTER",
            "only the beginning of a name in an output is a field",
        ),
    )
}

# Faults that `skip-if-unknown-filter` turns into a warning.
UNKNOWN = frozenset({"E101", "E102", "E302"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place in a text."""

    code: str
    severity: str
    span: Span
    message: str
    help: str = ""

    @property
    def load(self) -> str:
        """The `LOAD_…` code of this fault."""
        known = CODES.get(self.code)
        return known.load if known else self.code

    @property
    def unknown_name(self) -> bool:
        """Whether the fault is a name this version does not know."""
        return self.code in UNKNOWN


class FaultError(Exception):
    """Carries a fault to where faults are collected."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def fault(code: str, span: Span, message: str, help: str = "") -> Fault:
    """Make a fault; its severity is that of the code."""
    return Fault(code, CODES[code].severity, span, message, help)


def refuse(code: str, span: Span, message: str, help: str = "") -> FaultError:
    """Make the exception that carries a fault."""
    return FaultError(fault(code, span, message, help))
