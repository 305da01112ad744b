-- The store of a spool. Every table can be salvaged row by row (checksum.py): rowid tables, the
-- key first, `crc` last, no index beside the key. Sizes of a seal are measured with these tables.
CREATE TABLE meta (id INTEGER PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL);
-- id = stream << 40 | seq
CREATE TABLE batch (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, schema BLOB NOT NULL,
    r0 INTEGER NOT NULL, readings INTEGER NOT NULL, alarm INTEGER NOT NULL, t INTEGER NOT NULL,
    data BLOB NOT NULL, crc INTEGER NOT NULL);
-- id of the batch; state 1: acked by the broker, 2: set aside
CREATE TABLE custody (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, reason TEXT NOT NULL,
    crc INTEGER NOT NULL);
-- since: the first seq that carried it, 0 for none yet
CREATE TABLE loss (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, r0 INTEGER NOT NULL,
    count INTEGER NOT NULL, reason INTEGER NOT NULL, seq INTEGER NOT NULL, nseq INTEGER NOT NULL,
    since INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE anchor (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, mono INTEGER NOT NULL,
    utc INTEGER NOT NULL, source INTEGER NOT NULL, err INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE birth (id INTEGER PRIMARY KEY, schema BLOB NOT NULL, data BLOB NOT NULL,
    crc INTEGER NOT NULL);
CREATE TABLE condition (id INTEGER PRIMARY KEY, code INTEGER NOT NULL, ch INTEGER,
    epoch INTEGER NOT NULL, t INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE pad (id INTEGER PRIMARY KEY, zeros BLOB NOT NULL);
