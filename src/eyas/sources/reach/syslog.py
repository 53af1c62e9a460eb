"""Syslog: messages that arrive over UDP and TCP."""

from __future__ import annotations

from eyas.sources.reach.way import Way
from eyas.transports import syslog

WAYS = (Way("syslog", "messages over UDP and TCP", syslog.Settings, syslog.parcels, syslog.probe),)
