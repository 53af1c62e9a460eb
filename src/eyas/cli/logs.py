"""Our own messages: lines on standard error, so that alerts have standard output to themselves."""

from __future__ import annotations

import sys


def to_stderr() -> None:
    """Send log lines to standard error; with colours on a terminal, as `key=value` elsewhere."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
