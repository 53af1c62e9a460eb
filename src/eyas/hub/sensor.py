"""What detection tells about itself to whoever shows or counts it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule as metrics label it."""

    name: str
    priority: int
    source: str
    tags: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Sensor:
    """What detection tells about itself."""

    events: int = 0
    lost: int = 0
    ledger: dict[str, dict[str, int]] = field(default_factory=dict)  # class → sent, lost, read
    by_rule: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)  # what rules were not let say
    rules: Sequence[RuleInfo] = ()
    engine: str = "modern_bpf"
    files: Sequence[Path] = ()  # rule files and folders
    config_files: Sequence[Path] = ()
    reloaded: float = 0.0  # seconds of the epoch
    known: dict[str, int] = field(default_factory=dict)  # threads and files, by names of metrics

    @property
    def lost_by_class(self) -> dict[str, int]:
        """How many events of each class the kernel side had to drop."""
        return {name: account["lost"] for name, account in self.ledger.items()}


Ask = Callable[[], Sensor]
NOW = ("n_threads", "n_fds")  # what of `Sensor.known` is as it is now; the rest is counted since the start


def digests(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of the files of some paths, those of folders too."""
    for path in paths:
        for file in sorted(path.glob("*.y*ml")) if path.is_dir() else [path] if path.is_file() else []:
            yield file.name, hashlib.sha256(file.read_bytes()).hexdigest()
