"""Any JSON: records of whatever has no source of its own, asked by pointer with `json.value[/a/b]`."""

from __future__ import annotations

from eyas.sources.card import Source, Time

SOURCE = Source(
    "json",
    "Any JSON records",
    (),
    Time(("/time", "/timestamp", "/@timestamp", "/eventTime", "/ts")),
    lists=("Records", "records", "events", "entries", "items"),
)
