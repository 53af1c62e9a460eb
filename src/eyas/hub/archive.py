"""Alerts for years: Parquet files beside the store, searched by DuckDB.

`move` writes what is old and delivered into a file and then retires it from the store, in that order, so that
a crash between the two leaves an alert twice rather than nowhere; a search drops the second by its id.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from eyas.delivery import discard, stored
from eyas.hub import export, reading
from eyas.hub.filter import Filter
from eyas.hub.reading import Kept, Query
from eyas.outputs.card import library

FOLDER = "archive"
_COLUMNS = "ts, id, status, count, first, last, identity, body"


def move(folder: Path, db: sqlite3.Connection, before: int) -> tuple[int, Path | None]:
    """Move alerts that came before a moment and that nobody waits for; gives their number and the file."""
    archive = folder / FOLDER
    archive.mkdir(mode=0o700, exist_ok=True)
    path = archive / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{time.time_ns() % 10**9:09}.parquet"
    settled = {row[0] for row in db.execute(discard.SETTLED.format(awaited=discard.awaited(db)), (before,))}
    if not settled:
        return 0, None
    old = (kept for kept in reading.select(db, Query(oldest_first=True, repeats=True)) if kept.seq in settled)
    raw = path.with_suffix(".raw")
    written = export.parquet((kept for kept in old if not kept.lead), raw)
    sort(raw, path)
    db.execute("BEGIN IMMEDIATE")
    discard.delete(db, sorted(settled))
    db.execute("COMMIT")
    return written, path


def sort(raw: Path, path: Path) -> None:
    """Write a file once more with the alerts of a container side by side, so that a search reads few of its pages."""
    part = path.with_suffix(".part")
    order = "SELECT * FROM read_parquet(?) ORDER BY container, ts"
    _duckdb().execute(
        f"COPY ({order}) TO '{_quoted(part)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)",
        [str(raw)],
    )
    part.replace(path)
    raw.unlink()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def search(folder: Path, condition: Filter | None, since: int | None, until: int | None) -> Iterator[Kept]:
    """Alerts of the archive, newest first."""
    paths = sorted(str(path) for path in (folder / FOLDER).glob("*.parquet"))
    if not paths:
        return
    where = ["true"]
    values: list[Any] = []
    for clause, value in (("ts >= ?", since), ("ts < ?", until)):
        if value is not None:
            where.append(clause)
            values.append(value)
    for column, text in reading.equalities(condition):
        where.append(f'"{column}" = ?')
        values.append(text)
    yield from _rows(paths, " AND ".join(where), values, condition)


def _rows(paths: list[str], where: str, values: list[Any], condition: Filter | None) -> Iterator[Kept]:
    seen: set[str] = set()
    query = f"SELECT {_COLUMNS} FROM read_parquet(?) WHERE {where} ORDER BY ts DESC"
    found = _duckdb().execute(query, [paths, *values])
    while batch := found.fetchmany(1000):
        for row in batch:
            kept = _kept(row)
            if row[1] not in seen and (condition is None or condition.holds(kept.alert)):
                seen.add(row[1])
                yield kept


def _kept(row: tuple[Any, ...]) -> Kept:
    ts, _, status, count, first, last, identity, body = row
    alert = stored.decode(body.encode())
    group = {**(alert.eyas.get("group") or {}), "count": count, "first": first, "last": last}
    alert = replace(alert, ts=ts, eyas={**alert.eyas, "status": status, "group": group})
    return Kept(0, alert, status, "", identity, count, first, last)


def _duckdb() -> Any:
    return library("duckdb", "parquet").connect()
