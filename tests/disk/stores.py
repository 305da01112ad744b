"""Stores to damage: rows whose bytes can be found again on every page that holds a part of them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edgenode.spool.checksum import row_crc
from edgenode.spool.salvage import Salvage

PAGE = 1024
FRAME = 24 + PAGE
TABLES = {"batch": 4, "loss": 4}
SIZES = (40, 300, 900, 1500, 2600, 7000)  # on one leaf together, alone, and along overflow chains
Row = tuple[str, tuple[object, ...]]


def open_store(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("page_size=1024", "auto_vacuum=NONE", "journal_mode=WAL", "synchronous=OFF"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, schema BLOB, data BLOB, crc INTEGER)")
    db.execute("CREATE TABLE loss (id INTEGER PRIMARY KEY, first INTEGER, n INTEGER, crc INTEGER)")
    db.execute("CREATE TABLE other (id INTEGER PRIMARY KEY, data BLOB)")  # not to be salvaged
    return db


def insert(db: sqlite3.Connection, ids: range, *, seed: int = 7) -> frozenset[Row]:
    """Insert batches whose every 16 bytes name their row, and a few losses among them."""
    rng, rows = random.Random(seed), set[Row]()
    for number in ids:
        size = rng.choice(SIZES) + rng.randrange(200)
        data = (b"batch %07d. " % number * (size // 15 + 1))[:size]
        values: tuple[int | bytes, ...] = (5 << 40 | number, b"schema-8", data)
        db.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (*values, row_crc("batch", *values)))
        rows.add(("batch", values))
        if number % 4 == 0:
            lost = (number, number << 33, -number)
            db.execute("INSERT INTO loss VALUES (?, ?, ?, ?)", (*lost, row_crc("loss", *lost)))
            rows.add(("loss", lost))
    return frozenset(rows)


def marks(row: Row) -> Iterator[bytes]:
    """Yield byte strings one of which is on every page that holds a part of the row."""
    table, values = row
    yield row_crc(table, *values).to_bytes(4)  # type: ignore[arg-type]
    if table == "batch":
        data = values[2]
        assert isinstance(data, bytes)
        text = data[:15] * 2
        yield from (text[shift : shift + 15] for shift in range(15))


def touched(page: bytes, rows: frozenset[Row]) -> frozenset[Row]:
    return frozenset(row for row in rows if any(mark in page for mark in marks(row)))


def salvaged(path: Path) -> tuple[frozenset[Row], Salvage]:
    scan = Salvage(path, TABLES)
    rows = [(row.table, row.columns) for row in scan.rows()]
    assert len(rows) == len(set(rows)), "a row came twice"
    return frozenset(rows), scan


def overwrite(path: Path, offset: int, data: bytes | bytearray) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def as_sqlite_sees(path: Path) -> frozenset[Row]:
    """Return the rows by SQL: the other implementation of the log's rules."""
    db = sqlite3.connect(path)
    rows = {("batch", tuple(row)) for row in db.execute("SELECT id, schema, data FROM batch")}
    rows |= {("loss", tuple(row)) for row in db.execute("SELECT id, first, n FROM loss")}
    db.close()
    return frozenset(rows)
