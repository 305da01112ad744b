-- The store of a spool. Every table can be salvaged row by row (checksum.py): rowid tables, the
-- key first, `crc` last, no index beside the key. `pad` holds room that was written once and is
-- given back.
CREATE TABLE meta (id INTEGER PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL);
-- id = stream << 40 | seq; t = boot-time ms of the earliest reading
CREATE TABLE batch (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, schema BLOB NOT NULL, r0 INTEGER NOT NULL,
    readings INTEGER NOT NULL, alarm INTEGER NOT NULL, t INTEGER NOT NULL, data BLOB NOT NULL,
    crc INTEGER NOT NULL
);
-- id of the batch; state 1: acked by the broker, 2: set aside
CREATE TABLE custody (
    id INTEGER PRIMARY KEY, state INTEGER NOT NULL, reason TEXT NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE birth (
    id INTEGER PRIMARY KEY, schema BLOB NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE TABLE pad (id INTEGER PRIMARY KEY, zeros BLOB NOT NULL);
