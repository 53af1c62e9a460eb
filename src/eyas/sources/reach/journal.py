"""The systemd journal of this machine, or of a folder."""

from __future__ import annotations

from eyas.sources.reach.way import Way
from eyas.transports import journald

WAYS = (Way("journald", "journal of this machine", journald.Settings, journald.parcels, journald.probe),)
