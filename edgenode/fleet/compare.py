"""Whether two tables hold the same: by SQL's EXCEPT, both ways, whatever they come out of."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

DECIMALS = 6  # values are compared to; REAL, double precision and numeric then agree
SHOWN = 100_000  # differing rows that are returned; all are counted
CACHE_KIB = 256 << 10  # EXCEPT sorts in a tree; one that does not fit is read again and again
_LAY = "CREATE TABLE {} (node TEXT, epoch INTEGER, channel TEXT, mono INTEGER, value REAL)"
_ONLY = "SELECT * FROM {} EXCEPT SELECT * FROM {}"


class Row(NamedTuple):
    """One reading: node id in hex, boot and boot-time ms of the node, and what was measured."""

    node: str
    epoch: int
    channel: str
    mono: int
    value: float


class Comparison(NamedTuple):
    """How two tables differ. They are equal where the last four are 0 or empty."""

    made: int
    held: int
    missing: int  # made and not held
    alien: int  # held and never made
    repeated: int  # held more than once, each time counted
    rows: tuple[Row, ...] = ()  # the first that are missing or alien

    @property
    def equal(self) -> bool:
        return not (self.missing or self.alien or self.repeated)


def compare(made: Iterable[Row], held: Iterable[Row]) -> Comparison:
    """Compare what was made with what a city holds, row by row.

    Both pass through a scratch database on disk, so neither has to fit into memory or to be
    sorted, and the city's may come out of any.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as db:  # "": a file of its own
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        many_made, many_held = _fill(db, "made", made), _fill(db, "held", held)
        repeated = many_held - _one(db, "SELECT count(*) FROM (SELECT DISTINCT * FROM held)")
        db.execute(f"CREATE TABLE missing AS {_ONLY.format('made', 'held')}")
        db.execute(f"CREATE TABLE alien AS {_ONLY.format('held', 'made')}")
        return Comparison(
            many_made,
            many_held,
            _one(db, "SELECT count(*) FROM missing"),
            _one(db, "SELECT count(*) FROM alien"),
            repeated,
            (*_first(db, "missing"), *_first(db, "alien")),
        )


def _fill(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> int:
    db.execute(_LAY.format(table))
    db.execute("BEGIN")
    db.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", _rounded(rows))  # noqa: S608 - our own names
    db.execute("COMMIT")
    return _one(db, f"SELECT count(*) FROM {table}")  # noqa: S608 - the same


def _rounded(rows: Iterable[Row]) -> Iterator[Row]:
    return (Row(*row[:4], round(float(row.value), DECIMALS)) for row in rows)


def _first(db: sqlite3.Connection, table: str) -> Iterator[Row]:
    query = f"SELECT * FROM {table} LIMIT {SHOWN}"  # noqa: S608 - our own names
    return (Row._make(row) for row in db.execute(query))


def _one(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
