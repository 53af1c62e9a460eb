"""Our own messages: lines on standard error, so that alerts have standard output to themselves, and to syslog if told."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Sequence

# Severities of the configuration that log lines do not have, as the next one that they do.
_LEVELS = {"emergency": "critical", "alert": "critical", "notice": "info"}
_DAEMON = 3 << 3  # facility of syslog
_SYSLOG = "/dev/log"

Sink = Callable[[int, str], None]  # takes a severity of syslog and a line


class Lines:
    """Writes each line to every sink. A line that cannot be written ends no thread that works."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def _say(self, severity: int, line: str) -> None:
        for sink in self._sinks:
            with contextlib.suppress(OSError, ValueError):
                sink(severity, line)

    def critical(self, line: str) -> None:
        """Write one line."""
        self._say(2, line)

    def error(self, line: str) -> None:
        """Write one line."""
        self._say(3, line)

    def warning(self, line: str) -> None:
        """Write one line."""
        self._say(4, line)

    def info(self, line: str) -> None:
        """Write one line."""
        self._say(6, line)

    def debug(self, line: str) -> None:
        """Write one line."""
        self._say(7, line)

    msg = log = info
    exception = error


def begin(level: str = "info", stderr: bool = True, syslog: bool = False) -> None:
    """Send log lines of at least a level where they are wanted; with colours on a terminal, as `key=value` elsewhere."""
    import logging

    import structlog

    least = logging.getLevelName(_LEVELS.get(level, level).upper())
    sinks = [sink for sink, wanted in ((_print, stderr), (_datagram, syslog)) if wanted]
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and not syslog, pad_event_to=0),
        ],
        logger_factory=lambda *_: Lines(sinks),
        cache_logger_on_first_use=False,
    )


def _print(_: int, line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _datagram(severity: int, line: str) -> None:
    """To the syslog of this machine, which adds the time; one that takes nothing holds nobody up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        channel.connect(_SYSLOG)
        channel.send(b"<%d>eyas: %s" % (_DAEMON | severity, line.encode("utf-8", "replace")[:8000]))
