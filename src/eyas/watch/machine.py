"""The machine that is watched, seen from where this program runs."""

from __future__ import annotations

import os
from pathlib import Path

from eyas.containers import RUNTIMES


def host() -> Path:
    """Root folder of the host: elsewhere when this runs in a container (`HOST_ROOT`)."""
    return Path(os.environ.get("HOST_ROOT", "/"))


def sockets() -> dict[str, str | None]:
    """The socket of each container runtime; none for one that does not listen."""
    listening = {runtime.name: runtime.socket(host()) for runtime in RUNTIMES if runtime.sockets}
    return {name: str(path) if path else None for name, path in listening.items()}
