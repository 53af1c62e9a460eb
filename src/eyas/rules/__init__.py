"""Rule files: macros, lists, exceptions, overrides; and the rules we ship."""

from eyas.rules.additions import Addition
from eyas.rules.compiled import Compiled
from eyas.rules.items import PRIORITIES, Example
from eyas.rules.loading import BUILTIN, SERVICES, Loaded, Settings, Switch, load, load_documents, program
from eyas.rules.problem import Place, Problem

__all__ = [
    "BUILTIN",
    "PRIORITIES",
    "SERVICES",
    "Addition",
    "Compiled",
    "Example",
    "Loaded",
    "Place",
    "Problem",
    "Settings",
    "Switch",
    "load",
    "load_documents",
    "program",
]
