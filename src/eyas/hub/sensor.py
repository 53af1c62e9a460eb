"""What detection tells about itself to whoever shows or counts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule as metrics label it."""

    name: str
    priority: int
    source: str
    tags: tuple[str, ...]


@dataclass(slots=True)
class Sensor:
    """What detection tells about itself."""

    events: int = 0
    lost: int = 0
    lost_by_class: dict[str, int] = field(default_factory=dict)
    by_rule: dict[str, int] = field(default_factory=dict)
    rules: Sequence[RuleInfo] = ()
    engine: str = "modern_bpf"
    files: Sequence[Path] = ()  # rule files and folders
    config_files: Sequence[Path] = ()
    reloaded: float = 0.0  # seconds of the epoch


Ask = Callable[[], Sensor]
