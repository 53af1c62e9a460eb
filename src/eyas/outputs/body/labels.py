"""Names that stores take: letters, digits and underscores."""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNSAFE = re.compile(r"[^a-zA-Z0-9_]+")
_RUN = re.compile(r"__+")


def label(name: str) -> str:
    """A label name of Prometheus, Alertmanager and Loki: `proc.aname[2]` is `proc_aname_2`."""
    safe = _RUN.sub("_", _UNSAFE.sub("_", name)).strip("_")
    return f"_{safe}" if safe[:1].isdigit() else safe


def labels(values: Mapping[str, str]) -> dict[str, str]:
    """Labels with safe names; what has no name left, or no value, is dropped."""
    return {label(name): value for name, value in values.items() if label(name) and value}
