"""How often a rule may speak: `group_by`, `threshold`, `window` and `quiet` of a rule file."""

from __future__ import annotations

import re
from dataclasses import dataclass

KEYS = ("group_by", "threshold", "window", "quiet")

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True, slots=True)
class Grouping:
    """What one rule says about repeats; None leaves it to the configuration."""

    group_by: tuple[str, ...] | None = None
    threshold: int | None = None
    window: float | None = None
    quiet: float | None = None


SILENT_ON_IT = Grouping()


def seconds(text: str) -> float:
    """Seconds of `90s`, `1h30m`, `7d` or a plain number; raises ValueError."""
    low = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", low):
        return float(low)
    parts = _PART.findall(low)
    if not parts or "".join(number + unit for number, unit in parts) != low:
        raise ValueError(f"'{text}' is not a duration such as 90s, 1h30m or 7d")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)
