"""Footage around alerts: which file, how long, as `capture` in the configuration says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eyas import _core
from eyas.rules import Compiled

MILLISECOND = 1_000_000
MEBIBYTE = 1 << 20

Begin = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is kept, in milliseconds and mebibytes."""

    enabled: bool = False
    prefix: str = ""
    every_rule: bool = False
    duration: int = 5000
    limit: int = 0
    before: int = 5000
    memory: int = 16

    @property
    def retention(self) -> tuple[int, int]:
        """Nanoseconds and bytes of events in memory."""
        return (self.before * MILLISECOND, self.memory * MEBIBYTE) if self.enabled else (0, 0)


@dataclass(slots=True)
class Footage:
    """Begins files for the rules that want one. One file is written at a time; it goes on as long as any wants."""

    settings: Settings
    begin: Begin
    path: Path | None = None
    until: int = 0

    def of(self, match: _core.Match, rule: Compiled) -> Path | None:
        """The file that holds what happened around a match, if one is kept."""
        if not self.settings.enabled or not (self.settings.every_rule or rule.capture):
            return None
        if self.path is None or match.ts >= self.until:
            self.path = Path(f"{self.settings.prefix}_{match.ts:020}_{match.num:020}.scap")
        self.until = max(
            self.until, match.ts + (rule.capture_duration or self.settings.duration) * MILLISECOND
        )
        self.begin(str(self.path), self.until, self.settings.limit * MEBIBYTE)
        return self.path
