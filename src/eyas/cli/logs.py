"""Our own messages: lines on standard error, so that alerts have standard output to themselves."""

from __future__ import annotations

import contextlib
import sys

# Severities of the configuration that log lines do not have, as the next one that they do.
_LEVELS = {"emergency": "critical", "alert": "critical", "notice": "info"}


class Lines:
    """Writes each line to what standard error is then. A line that cannot be written ends no thread that works."""

    def msg(self, line: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    debug = info = warning = error = critical = exception = log = msg


def to_stderr(level: str = "info", shown: bool = True) -> None:
    """Send log lines of at least a level to standard error; with colours on a terminal, as `key=value` elsewhere."""
    import logging

    import structlog

    least = logging.getLevelName(_LEVELS.get(level, level).upper())
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
        ],
        logger_factory=(lambda *_: Lines()) if shown else structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
