"""The tables in PostgreSQL, version by version. All of them live in the schema `edgenode`.

They are those of SQLite, but for the rows: `sample` holds readings with their times, and is
partitioned by month; `cell` and `moment` are not needed.
"""

from __future__ import annotations

from edgenode.cityos.schema import EXPORTS

FIRST = """
CREATE TABLE raw (
  id BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE, node BYTEA NOT NULL, spool BYTEA NOT NULL,
  stream INTEGER NOT NULL, seq BIGINT NOT NULL, epoch BIGINT NOT NULL, r0 BIGINT NOT NULL,
  schema BYTEA NOT NULL, held BIGINT, bytes BYTEA NOT NULL, crc BIGINT NOT NULL,
  arrival BIGINT NOT NULL, topic TEXT NOT NULL, work INTEGER NOT NULL, readings BIGINT,
  first BIGINT, last BIGINT, fault TEXT, PRIMARY KEY (node, spool, stream, seq));
ALTER TABLE raw ALTER COLUMN bytes SET STORAGE EXTERNAL;  -- CBOR of deltas does not compress
CREATE INDEX raw_work ON raw (work, id) WHERE work IN (1, 2);
CREATE INDEX raw_waiting ON raw (node, spool, schema) WHERE work = 0;
CREATE INDEX raw_epoch ON raw (node, spool, epoch, last);
CREATE TABLE held (
  node BYTEA, spool BYTEA, stream INTEGER, seq BIGINT NOT NULL,
  PRIMARY KEY (node, spool, stream));
CREATE TABLE spool (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node BYTEA NOT NULL, spool BYTEA NOT NULL,
  arrival BIGINT NOT NULL, UNIQUE (node, spool));
CREATE TABLE conflict (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node BYTEA NOT NULL, spool BYTEA NOT NULL,
  stream INTEGER NOT NULL, seq BIGINT NOT NULL, digest BYTEA NOT NULL, bytes BYTEA NOT NULL,
  arrival BIGINT NOT NULL, topic TEXT NOT NULL, UNIQUE (node, spool, stream, seq, digest));
CREATE TABLE birth (
  node BYTEA, schema BYTEA, bytes BYTEA NOT NULL, arrival BIGINT NOT NULL,
  PRIMARY KEY (node, schema));
CREATE TABLE channel (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, node BYTEA NOT NULL, schema BYTEA NOT NULL,
  gid INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
  scale INTEGER NOT NULL, kind INTEGER NOT NULL, observed TEXT NOT NULL,
  UNIQUE (node, schema, gid, place));
CREATE TABLE epoch (
  node BYTEA, spool BYTEA, epoch BIGINT, earliest BIGINT, latest BIGINT,
  PRIMARY KEY (node, spool, epoch));
CREATE TABLE anchor (
  node BYTEA, spool BYTEA, epoch BIGINT, mono BIGINT, utc BIGINT, source INTEGER, err BIGINT,
  applied INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (node, spool, epoch, mono, utc, source, err));
CREATE INDEX anchor_new ON anchor (applied) WHERE applied = 0;
CREATE TABLE previous (
  node BYTEA, spool BYTEA, epoch BIGINT, mono BIGINT, utc BIGINT, err BIGINT,
  applied INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (node, spool, epoch, mono, utc, err));
CREATE INDEX previous_new ON previous (applied) WHERE applied = 0;
CREATE TABLE loss (
  node BYTEA, spool BYTEA, stream INTEGER, r0 BIGINT, reason INTEGER, seq BIGINT,
  readings BIGINT NOT NULL, batches BIGINT NOT NULL,
  PRIMARY KEY (node, spool, stream, r0, reason, seq));
CREATE TABLE sample (
  batch BIGINT NOT NULL, ordinal BIGINT NOT NULL, mono BIGINT NOT NULL, channel BIGINT NOT NULL,
  value DOUBLE PRECISION, quality INTEGER NOT NULL, utc BIGINT, err BIGINT, earliest BIGINT,
  latest BIGINT, clock INTEGER NOT NULL) PARTITION BY RANGE (utc);
CREATE TABLE sample_other PARTITION OF sample DEFAULT;
CREATE INDEX sample_batch ON sample (batch);
CREATE INDEX sample_time ON sample (channel, utc);
CREATE TABLE occurrence (
  batch BIGINT NOT NULL, ordinal BIGINT NOT NULL, mono BIGINT NOT NULL, ch INTEGER, channel TEXT,
  code INTEGER NOT NULL, value TEXT, quality INTEGER NOT NULL, utc BIGINT, err BIGINT,
  earliest BIGINT, latest BIGINT, clock INTEGER NOT NULL, PRIMARY KEY (batch, ordinal));
CREATE INDEX occurrence_time ON occurrence (utc);
CREATE TABLE about (node BYTEA PRIMARY KEY, bytes BYTEA NOT NULL, arrival BIGINT NOT NULL);
CREATE TABLE state (
  node BYTEA, spool BYTEA, online INTEGER NOT NULL, epoch BIGINT NOT NULL,
  connect_ms BIGINT NOT NULL, arrival BIGINT NOT NULL, PRIMARY KEY (node, spool));
CREATE TABLE node (
  node BYTEA PRIMARY KEY, first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL,
  silent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE refused (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL,
  topic TEXT NOT NULL, digest BYTEA NOT NULL, bytes BYTEA NOT NULL, arrival BIGINT NOT NULL,
  UNIQUE (topic, digest));
CREATE TABLE counter (node BYTEA, name TEXT, n BIGINT NOT NULL, PRIMARY KEY (node, name));
CREATE TABLE alarm (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arrival BIGINT NOT NULL, node BYTEA,
  kind TEXT NOT NULL, detail TEXT NOT NULL);
CREATE FUNCTION ms(moment TIMESTAMPTZ) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor(extract(epoch FROM moment) * 1000)::BIGINT;
CREATE VIEW reading AS
  SELECT raw.node, raw.spool, raw.stream, raw.seq, sample.ordinal, raw.epoch, sample.mono,
         channel.name AS channel, channel.unit, sample.value, sample.quality, sample.utc,
         sample.err, coalesce(sample.earliest, sample.utc - sample.err) AS earliest,
         coalesce(sample.latest, sample.utc + sample.err) AS latest, sample.clock,
         raw.id AS batch, channel.observed, channel.kind,
         to_timestamp(sample.utc / 1000.0) AS "time"
  FROM sample JOIN raw ON raw.id = sample.batch JOIN channel ON channel.id = sample.channel;
CREATE VIEW event AS
  SELECT raw.node, raw.spool, raw.stream, raw.seq, o.ordinal, raw.epoch, o.mono, o.ch, o.channel,
         o.code, o.value, o.quality, o.utc, o.err, coalesce(o.earliest, o.utc - o.err) AS earliest,
         coalesce(o.latest, o.utc + o.err) AS latest, o.clock, raw.id AS batch,
         to_timestamp(o.utc / 1000.0) AS "time"
  FROM occurrence o JOIN raw ON raw.id = o.batch;
"""

SECOND = """
ALTER TABLE raw ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE TABLE outbox (
  position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, batch BIGINT NOT NULL);
CREATE TABLE exporter (name TEXT PRIMARY KEY, position BIGINT NOT NULL);
"""

# What continues as what; the events that the operator is told of, without the many.
THIRD = """
CREATE TABLE succession (
  node BYTEA, sensor TEXT, by_node BYTEA NOT NULL, by_sensor TEXT NOT NULL, since BIGINT NOT NULL,
  PRIMARY KEY (node, sensor), UNIQUE (by_node, by_sensor));
CREATE INDEX occurrence_told ON occurrence (batch) WHERE code > 2;
"""

# A stretch of time over all channels: rows come nearly in the order of their times.
FOURTH = """
CREATE INDEX sample_when ON sample USING brin (utc) WITH (autosummarize = on);
"""

# What leads from one version to the next; a fresh database goes through all of them.
MIGRATIONS = (FIRST, SECOND, THIRD, FOURTH, EXPORTS)
VERSION = len(MIGRATIONS)
