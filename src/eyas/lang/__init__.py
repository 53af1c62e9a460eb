"""One expression: text → tokens → tree → checked tree → IR. Knows nothing of rule files."""

from eyas.lang.check import Memo, check, lower
from eyas.lang.diagnostics import CODES, Fault, FaultError
from eyas.lang.events import events_of
from eyas.lang.parse import parse
from eyas.lang.show import show
from eyas.lang.template import Placeholder, Template, suggested, template, template_faults
from eyas.lang.tree import (
    And,
    Call,
    Check,
    FieldRef,
    Name,
    Node,
    Not,
    Or,
    Text,
    Values,
    canonical,
    checks_of,
    fold,
)

__all__ = [
    "CODES",
    "And",
    "Call",
    "Check",
    "Fault",
    "FaultError",
    "FieldRef",
    "Memo",
    "Name",
    "Node",
    "Not",
    "Or",
    "Placeholder",
    "Template",
    "Text",
    "Values",
    "canonical",
    "check",
    "checks_of",
    "events_of",
    "fold",
    "lower",
    "parse",
    "show",
    "suggested",
    "template",
    "template_faults",
]
