"""Our own messages: lines on standard error, so that alerts have standard output to themselves."""

from __future__ import annotations

import sys

# Severities of the configuration that log lines do not have, as the next one that they do.
_LEVELS = {"emergency": "critical", "alert": "critical", "notice": "info"}


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr) if shown else structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
