"""Operators: how each is spelled, what the IR calls it, and on which types it works."""

from __future__ import annotations

NAMES = {
    "exists": "exists",
    "=": "eq",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "contains": "contains",
    "icontains": "icontains",
    "bcontains": "bcontains",
    "startswith": "startswith",
    "bstartswith": "bstartswith",
    "endswith": "endswith",
    "glob": "glob",
    "iglob": "iglob",
    "regex": "regex",
    "in": "in",
    "intersects": "intersects",
    "pmatch": "pmatch",
}

SPELLING = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

LIST_OPS = frozenset({"in", "intersects", "pmatch"})
BYTE_OPS = frozenset({"bcontains", "bstartswith"})

_EQUAL = frozenset({"=", "==", "!=", "in", "intersects", "exists"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_SEARCH = frozenset({"contains", "startswith", "endswith"})

_NUMERIC = _EQUAL | _ORDER

ALLOWED = {
    **dict.fromkeys(("int", "uint", "reltime", "abstime", "double", "port"), _NUMERIC),
    "bool": _EQUAL,
    "text": _NUMERIC | _SEARCH | {"icontains", "glob", "iglob", "regex", "pmatch"},
    "bytes": _EQUAL | _SEARCH | BYTE_OPS,
    "ip": _EQUAL,
    "net": _EQUAL,
}

LIST_ALLOWED = frozenset({"in", "intersects", "exists"})
OPAQUE_ALLOWED = frozenset({"exists"})


def allowed(kind: str, many: bool) -> frozenset[str]:
    """Operators that work on a type, or on a list of it."""
    if many:
        return LIST_ALLOWED
    return ALLOWED.get(kind, OPAQUE_ALLOWED)
