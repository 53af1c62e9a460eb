"""What plugins log, as lines on standard error that cannot be mistaken for ours or rule a terminal."""

from __future__ import annotations

import sys

# Severities as the interface numbers them.
LEVELS = ("", "fatal", "critical", "error", "warning", "notice", "info", "debug", "trace")
LEAST = LEVELS.index("info")
LONGEST = 4096


def say(plugin: str, component: bytes | None, message: bytes | None, severity: int) -> None:
    """Print a message of a plugin, unless it is one for the plugin's own developers."""
    level = LEVELS[severity] if 0 < severity < len(LEVELS) else "info"
    if LEVELS.index(level) > LEAST:
        return
    words = [f"plugin {plugin}", level, *filter(None, (_plain(component), _plain(message)))]
    print(": ".join(words), file=sys.stderr, flush=True)


def _plain(text: bytes | None) -> str:
    words = (text or b"")[:LONGEST].decode(errors="replace").split()
    return "".join(one if one.isprintable() else "?" for one in " ".join(words))
