"""Tables of the store: alerts, who still has to get them, and what people and time add to them."""

from __future__ import annotations

VERSION = 2

TABLES = """
CREATE TABLE IF NOT EXISTS alert(
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  ts INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  rule TEXT NOT NULL,
  source TEXT NOT NULL,
  host TEXT NOT NULL,
  container TEXT NOT NULL,
  identity TEXT NOT NULL,
  lead TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'open',
  kept INTEGER NOT NULL, -- when it came, by our clock; ts is that of the event
  body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS alert_ts ON alert(ts);
CREATE INDEX IF NOT EXISTS alert_kept ON alert(kept);
CREATE TABLE IF NOT EXISTS pending(
  output TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(output, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused(
  output TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(output, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bundle(
  lead TEXT PRIMARY KEY, count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, examples TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS remark(
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS remark_id ON remark(id);
CREATE TABLE IF NOT EXISTS silence(
  number INTEGER PRIMARY KEY, condition TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
  owner TEXT NOT NULL, reason TEXT NOT NULL, held INTEGER NOT NULL DEFAULT 0, every TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS activity(
  number INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kept INTEGER NOT NULL, host TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,
  actor TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS activity_ts ON activity(ts);
CREATE INDEX IF NOT EXISTS activity_kept ON activity(kept);
CREATE INDEX IF NOT EXISTS activity_actor ON activity(actor, ts);
"""

# What an older store lacks: by the version that brought it.
STEPS = {2: "ALTER TABLE silence ADD COLUMN every TEXT NOT NULL DEFAULT ''"}

SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -2048;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 16777216;
"""
