"""InfluxDB 2 as far as writing goes: it reads the line protocol, and refuses what the service refuses in its words.

https://docs.influxdata.com/influxdb/v2/api/#operation/PostWrite, …/reference/syntax/line-protocol/
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.outputs.service import Reply, Seen, Service

LONGEST_KEY = 65_535
PRECISIONS = ("ns", "us", "ms", "s")
_POINT = re.compile(
    r"(?P<key>(?:[^,= \\]|\\.)+(?:,(?:[^,= \\]|\\.)+=(?:[^,= \\]|\\.)+)*)"
    r' value="(?P<value>(?:[^"\\]|\\.)*)" (?P<time>\d+)'
)


@dataclass
class Influx(Service):
    """One organisation, one bucket, one token."""

    points: list[tuple[dict[str, str], str, int]] = field(default_factory=list)

    def reply(self, seen: Seen) -> Reply:
        """Take the points, or say what is wrong."""
        asked = {name: values[0] for name, values in parse_qs(seen.query).items()}
        if seen.headers.get("authorization") != "Token secret":
            return _no(401, "unauthorized", "unauthorized access")
        if (seen.method, seen.path) != ("POST", "/api/v2/write"):
            return _no(404, "not found", "path not found")
        if asked.get("org") != "acme & sons":
            return _no(404, "not found", f'organization name "{asked.get("org")}" not found')
        if asked.get("bucket") != "falco":
            return _no(404, "not found", f'bucket "{asked.get("bucket")}" not found')
        if asked.get("precision") not in PRECISIONS:
            return _no(400, "invalid", "precision must be ns, us, ms or s")
        return self._read(seen.plain.decode())

    def _read(self, text: str) -> Reply:
        made = []
        for row in text.split("\n"):
            found = _POINT.fullmatch(row)
            if found is None or len(found["key"].encode()) > LONGEST_KEY:
                return _no(400, "invalid", f"unable to parse '{row[:200]}'")
            head, *tags = re.split(r"(?<!\\),", found["key"])
            assert head == "events"
            pairs = dict(re.split(r"(?<!\\)=", tag, maxsplit=1) for tag in tags)
            made.append((pairs, re.sub(r'\\(["\\])', r"\1", found["value"]), int(found["time"])))
        self.points += made
        return 204, {}, b""


def _no(status: int, code: str, message: str) -> Reply:
    return (
        status,
        {"Content-Type": "application/json"},
        json.dumps({"code": code, "message": message}).encode(),
    )
