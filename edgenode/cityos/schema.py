"""The tables in SQLite: raw bytes first, everything else can be derived from them again."""

from __future__ import annotations

import sqlite3
from enum import IntEnum
from pathlib import Path

from edgenode.errors import CityError

APPLICATION_ID = 0x65_6E_63_6F  # "enco"
BUSY_MS = 5_000  # how long a reader or writer waits for the other


class Work(IntEnum):
    """How far the derivation of a raw batch has come (column raw.work)."""

    WAITING = 0  # for its birth
    READY = 1  # its birth is known, its rows are not derived yet
    STALE = 2  # its rows are there, their times are to be computed again
    DONE = 3
    FAULTY = 4  # durable, but not a valid batch of its birth; the reason is in raw.fault


FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE raw (
  id INTEGER PRIMARY KEY, node BLOB NOT NULL, spool BLOB NOT NULL, stream INTEGER NOT NULL,
  seq INTEGER NOT NULL, epoch INTEGER NOT NULL, r0 INTEGER NOT NULL, schema BLOB NOT NULL,
  held INTEGER, bytes BLOB NOT NULL, crc INTEGER NOT NULL, arrival INTEGER NOT NULL,
  topic TEXT NOT NULL, work INTEGER NOT NULL, readings INTEGER, first INTEGER, last INTEGER,
  fault TEXT, UNIQUE (node, spool, stream, seq));
CREATE INDEX raw_work ON raw (work, id) WHERE work IN (1, 2);
CREATE INDEX raw_waiting ON raw (node, spool, schema) WHERE work = 0;
CREATE INDEX raw_epoch ON raw (node, spool, epoch, last);
CREATE TABLE durable (
  node BLOB, spool BLOB, stream INTEGER, first INTEGER, last INTEGER NOT NULL,
  PRIMARY KEY (node, spool, stream, first)) WITHOUT ROWID;
CREATE TABLE held (
  node BLOB, spool BLOB, stream INTEGER, seq INTEGER NOT NULL,
  PRIMARY KEY (node, spool, stream)) WITHOUT ROWID;
CREATE TABLE spool (
  id INTEGER PRIMARY KEY, node BLOB NOT NULL, spool BLOB NOT NULL, arrival INTEGER NOT NULL,
  UNIQUE (node, spool));
CREATE TABLE conflict (
  id INTEGER PRIMARY KEY, node BLOB NOT NULL, spool BLOB NOT NULL, stream INTEGER NOT NULL,
  seq INTEGER NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL, arrival INTEGER NOT NULL,
  topic TEXT NOT NULL, UNIQUE (node, spool, stream, seq, digest));
CREATE TABLE birth (
  node BLOB, schema BLOB, bytes BLOB NOT NULL, arrival INTEGER NOT NULL,
  PRIMARY KEY (node, schema));
CREATE TABLE channel (
  id INTEGER PRIMARY KEY, node BLOB NOT NULL, schema BLOB NOT NULL, gid INTEGER NOT NULL,
  place INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, scale INTEGER NOT NULL,
  kind INTEGER NOT NULL, observed TEXT NOT NULL, UNIQUE (node, schema, gid, place));
CREATE TABLE epoch (
  node BLOB, spool BLOB, epoch INTEGER, earliest INTEGER, latest INTEGER,
  PRIMARY KEY (node, spool, epoch)) WITHOUT ROWID;
CREATE TABLE anchor (
  node BLOB, spool BLOB, epoch INTEGER, mono INTEGER, utc INTEGER, source INTEGER, err INTEGER,
  applied INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (node, spool, epoch, mono, utc, source, err)) WITHOUT ROWID;
CREATE INDEX anchor_new ON anchor (applied) WHERE applied = 0;
CREATE TABLE previous (
  node BLOB, spool BLOB, epoch INTEGER, mono INTEGER, utc INTEGER, err INTEGER,
  applied INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (node, spool, epoch, mono, utc, err)) WITHOUT ROWID;
CREATE INDEX previous_new ON previous (applied) WHERE applied = 0;
CREATE TABLE loss (
  node BLOB, spool BLOB, stream INTEGER, r0 INTEGER, reason INTEGER, seq INTEGER,
  readings INTEGER NOT NULL, batches INTEGER NOT NULL,
  PRIMARY KEY (node, spool, stream, r0, reason, seq)) WITHOUT ROWID;
CREATE TABLE cell (
  batch INTEGER, ordinal INTEGER, mono INTEGER NOT NULL, channel INTEGER NOT NULL, value REAL,
  quality INTEGER NOT NULL, PRIMARY KEY (batch, ordinal)) WITHOUT ROWID;
CREATE TABLE occurrence (
  batch INTEGER, ordinal INTEGER, mono INTEGER NOT NULL, ch INTEGER, channel TEXT,
  code INTEGER NOT NULL, value TEXT, quality INTEGER NOT NULL,
  PRIMARY KEY (batch, ordinal)) WITHOUT ROWID;
CREATE TABLE moment (
  batch INTEGER, mono INTEGER, utc INTEGER, err INTEGER, earliest INTEGER, latest INTEGER,
  clock INTEGER NOT NULL, PRIMARY KEY (batch, mono)) WITHOUT ROWID;
CREATE TABLE about (node BLOB PRIMARY KEY, bytes BLOB NOT NULL, arrival INTEGER NOT NULL);
CREATE TABLE state (
  node BLOB, spool BLOB, online INTEGER NOT NULL, epoch INTEGER NOT NULL,
  connect_ms INTEGER NOT NULL, arrival INTEGER NOT NULL, PRIMARY KEY (node, spool));
CREATE TABLE node (
  node BLOB PRIMARY KEY, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
  silent INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE refused (
  id INTEGER PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT NOT NULL,
  digest BLOB NOT NULL, bytes BLOB NOT NULL, arrival INTEGER NOT NULL, UNIQUE (topic, digest));
CREATE TABLE counter (node BLOB, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (node, name))
  WITHOUT ROWID;
CREATE TABLE alarm (
  id INTEGER PRIMARY KEY, arrival INTEGER NOT NULL, node BLOB, kind TEXT NOT NULL,
  detail TEXT NOT NULL);
CREATE VIEW reading AS
  SELECT raw.node, raw.spool, raw.stream, raw.seq, cell.ordinal, raw.epoch, cell.mono,
         channel.name AS channel, channel.unit, cell.value, cell.quality,
         moment.utc, moment.err, moment.earliest, moment.latest, moment.clock, raw.id AS batch
  FROM raw JOIN cell ON cell.batch = raw.id
  JOIN moment ON moment.batch = raw.id AND moment.mono = cell.mono
  JOIN channel ON channel.id = cell.channel;
CREATE VIEW event AS
  SELECT raw.node, raw.spool, raw.stream, raw.seq, occurrence.ordinal, raw.epoch, occurrence.mono,
         occurrence.ch, occurrence.channel, occurrence.code, occurrence.value, occurrence.quality,
         moment.utc, moment.err, moment.earliest, moment.latest, moment.clock, raw.id AS batch
  FROM raw JOIN occurrence ON occurrence.batch = raw.id
  JOIN moment ON moment.batch = raw.id AND moment.mono = occurrence.mono;
"""

SECOND = """
INSERT OR IGNORE INTO held SELECT DISTINCT node, spool, stream, 1 FROM raw;
DROP TABLE durable;
ALTER TABLE raw ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE TABLE outbox (
  position INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL);
CREATE TABLE exporter (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
DROP VIEW reading;
CREATE VIEW reading AS
  SELECT raw.node, raw.spool, raw.stream, raw.seq, cell.ordinal, raw.epoch, cell.mono,
         channel.name AS channel, channel.unit, cell.value, cell.quality,
         moment.utc, moment.err, moment.earliest, moment.latest, moment.clock, raw.id AS batch,
         channel.observed, channel.kind
  FROM raw JOIN cell ON cell.batch = raw.id
  JOIN moment ON moment.batch = raw.id AND moment.mono = cell.mono
  JOIN channel ON channel.id = cell.channel;
"""

# What continues as what; the events that the operator is told of, without the many.
THIRD = """
CREATE TABLE succession (
  node BLOB, sensor TEXT, by_node BLOB NOT NULL, by_sensor TEXT NOT NULL, since INTEGER NOT NULL,
  PRIMARY KEY (node, sensor), UNIQUE (by_node, by_sensor)) WITHOUT ROWID;
CREATE INDEX occurrence_told ON occurrence (batch) WHERE code > 2;
"""

# What exporters remember, in both databases alike; they used to make these tables themselves.
EXPORTS = """
CREATE TABLE IF NOT EXISTS export_newest (
  exporter TEXT NOT NULL, entity TEXT NOT NULL, attribute TEXT NOT NULL, utc BIGINT NOT NULL,
  members TEXT NOT NULL, PRIMARY KEY (exporter, entity, attribute));
CREATE TABLE IF NOT EXISTS export_aside (
  exporter TEXT NOT NULL, at BIGINT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (exporter, at, what));
"""

# What leads from one version to the next; a fresh file goes through all of them.
MIGRATIONS = (FIRST, SECOND, THIRD, EXPORTS)
VERSION = len(MIGRATIONS)


def open_file(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open the sink's database, made when it is not there; raise CityError when it cannot serve."""
    if readonly and not path.exists():
        raise CityError(f"there is no sink at {path}; `edgenode cityos receive` makes one")
    mode = "ro" if readonly else "rwc"
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None
        )
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        _prepare(db, path, readonly=readonly)
    except sqlite3.Error as exc:
        raise CityError(f"cannot open the sink {path}: {exc}; name another --db") from exc
    return db


def _prepare(db: sqlite3.Connection, path: Path, *, readonly: bool) -> None:
    """Check whose file it is and lay the tables that it does not have yet."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    ours = application == APPLICATION_ID and 1 <= version <= VERSION
    if readonly and ours and version < VERSION:
        raise CityError(
            f"{path} is a sink of version {version}; `edgenode cityos receive` makes it one of "
            f"version {VERSION}, once"
        )
    if not ours and (readonly or not empty):
        raise CityError(
            f"{path} is not a sink of version {VERSION} (application {application:#x}, "
            f"version {version}); name another --db or use the program that made it"
        )
    if readonly:
        return
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # what is acknowledged must survive a power cut
    for at in range(version, VERSION):
        db.executescript(
            f"BEGIN IMMEDIATE; {MIGRATIONS[at]} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {at + 1}; COMMIT;"
        )
