"""Syslog: what programs and devices say, one message a record."""

from __future__ import annotations

from eyas.sources.card import Field, Source, Time, concat, text

FIELDS = (
    Field("syslog.message", "text", "/message", "What was said."),
    Field("syslog.program", "text", "/program", "Program that said it."),
    Field("syslog.pid", "text", "/pid", "Its process id."),
    Field("syslog.host", "text", "/host", "Host that it names."),
    Field("syslog.peer", "text", "/peer", "Address it came from."),
    Field("syslog.facility", "text", "/facility", "Facility: auth, daemon, local0 …"),
    Field(
        "syslog.severity",
        "text",
        "/severity",
        "Severity: emerg, alert, crit, err, warning, notice, info, debug.",
    ),
    Field("syslog.id", "text", "/id", "Kind of message (RFC 5424)."),
    Field("syslog.data", "text", "/data", "Structured data as written (RFC 5424)."),
)

SOURCE = Source(
    "syslog",
    "Syslog messages",
    FIELDS,
    Time("/time"),
    info=concat("/program", text(": "), "/message"),
    silent=3600,
)
