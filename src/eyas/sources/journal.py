"""The systemd journal: what units, the kernel and programs say on a machine.

https://www.freedesktop.org/software/systemd/man/systemd.journal-fields.html names the keys.
"""

from __future__ import annotations

from eyas.sources.card import Field, Source, Time, concat, text

FIELDS = (
    Field("journal.message", "text", "/MESSAGE", "What was said."),
    Field("journal.priority", "uint", "/PRIORITY", "Severity, 0 (emergency) to 7 (debug)."),
    Field("journal.unit", "text", ("/_SYSTEMD_UNIT", "/UNIT"), "Unit that said it."),
    Field("journal.identifier", "text", "/SYSLOG_IDENTIFIER", "Name that the program gives itself."),
    Field("journal.comm", "text", "/_COMM", "Name of the process."),
    Field("journal.exe", "text", "/_EXE", "Path of the program."),
    Field("journal.cmdline", "text", "/_CMDLINE", "Command line of the process."),
    Field("journal.pid", "text", "/_PID", "Its process id."),
    Field("journal.uid", "text", "/_UID", "Its user id."),
    Field("journal.loginuid", "text", "/_AUDIT_LOGINUID", "User who signed in, behind it."),
    Field("journal.host", "text", "/_HOSTNAME", "Host."),
    Field("journal.transport", "text", "/_TRANSPORT", "How it arrived: kernel, syslog, stdout, audit …"),
)

SOURCE = Source(
    "journal",
    "systemd journal",
    FIELDS,
    Time(("/__REALTIME_TIMESTAMP", "/_SOURCE_REALTIME_TIMESTAMP"), "us"),
    identity="/__CURSOR",
    info=concat("/SYSLOG_IDENTIFIER", text(": "), "/MESSAGE"),
    silent=3600,
)
