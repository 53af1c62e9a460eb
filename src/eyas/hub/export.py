"""Alerts as files for other programs: JSON lines, CSV, Parquet, OCSF."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from eyas.alert import iso8601, unseen
from eyas.delivery import stored
from eyas.hub.reading import Kept
from eyas.outputs.body import markup
from eyas.outputs.card import library

GROUP = 50_000
COLUMNS = (
    "time",
    "id",
    "priority",
    "rule",
    "source",
    "host",
    "container",
    "status",
    "count",
    "tags",
    "message",
    "fields",
)
_RISKY = (
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # a full-width sign begins a formula too


def falco(kept: Kept) -> dict[str, Any]:
    """The alert as Falco writes it, with ours beside."""
    return stored.falco(kept.alert)


def jsonl(alerts: Iterable[Kept]) -> Iterator[str]:
    """One JSON object a line."""
    for kept in alerts:
        yield unseen(json.dumps(falco(kept), sort_keys=True, ensure_ascii=False))


def ocsf(alerts: Iterable[Kept]) -> Iterator[str]:
    """Detection findings of the Open Cybersecurity Schema Framework, one JSON object a line."""
    from eyas.outputs.body.ocsf import detection

    for kept in alerts:
        yield unseen(json.dumps(detection(kept.alert), ensure_ascii=False, default=str))


def row(kept: Kept) -> dict[str, Any]:
    """The columns of tables."""
    alert = kept.alert
    return {
        "time": iso8601(alert.ts, "Z"),
        "id": kept.id,
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "host": alert.hostname,
        "container": stored.container(alert),
        "status": kept.status,
        "count": kept.count,
        "tags": ",".join(alert.tags),
        "message": alert.message,
        "fields": json.dumps(dict(alert.fields), sort_keys=True, ensure_ascii=False, default=str),
    }


def cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, and that stays on one line."""
    text = markup.line(value)
    return f"'{text}" if text.startswith(_RISKY) else text


def table(alerts: Iterable[Kept]) -> Iterator[str]:
    """CSV after RFC 4180, a header first."""
    yield _csv(list(COLUMNS))
    for kept in alerts:
        yield _csv([cell(value) for value in row(kept).values()])


def _csv(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def parquet(alerts: Iterable[Kept], path: Path) -> int:
    """A Parquet file; columns that many alerts share are in dictionaries. Gives the number of alerts."""
    pa, pq = _arrow()
    schema = pa.schema(
        [
            ("ts", pa.int64()), ("id", pa.string()), ("severity", pa.int8()), ("priority", pa.string()),
            ("rule", pa.string()), ("source", pa.string()), ("host", pa.string()), ("container", pa.string()),
            ("status", pa.string()), ("count", pa.int64()), ("first", pa.int64()), ("last", pa.int64()),
            ("tags", pa.list_(pa.string())), ("identity", pa.string()), ("message", pa.string()), ("body", pa.string()),
        ]
    )  # fmt: skip
    written = 0
    part = path.with_name(path.name + ".part")
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for group in _groups(alerts):
            writer.write_table(pa.Table.from_pylist([_record(kept) for kept in group], schema))
            written += len(group)
    part.replace(path)
    return written


def _record(kept: Kept) -> dict[str, Any]:
    alert = kept.alert
    return {
        "ts": alert.ts,
        "id": kept.id,
        "severity": stored.severity(alert.priority),
        "priority": alert.priority,
        "rule": alert.rule,
        "source": alert.source,
        "host": alert.hostname,
        "container": stored.container(alert),
        "status": kept.status,
        "count": kept.count,
        "first": kept.first,
        "last": kept.last,
        "tags": list(alert.tags),
        "identity": kept.identity,
        "message": alert.message.encode("utf-8", "replace").decode(),
        "body": stored.encode(alert).decode("utf-8", "replace"),
    }


def _groups(alerts: Iterable[Kept]) -> Iterator[list[Kept]]:
    group: list[Kept] = []
    for kept in alerts:
        group.append(kept)
        if len(group) >= GROUP:
            yield group
            group = []
    if group:
        yield group


def _arrow() -> tuple[Any, Any]:
    return library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")


LINES: dict[str, Callable[[Iterable[Kept]], Iterator[str]]] = {"json": jsonl, "csv": table, "ocsf": ocsf}


def write(lines: Iterable[str], to: IO[str]) -> int:
    """Write lines; gives their number."""
    number = 0
    for line in lines:
        to.write(line.encode("utf-8", "replace").decode() + "\n")
        number += 1
    return number
