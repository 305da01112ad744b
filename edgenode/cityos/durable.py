"""Which seqs of a stream are durable, as ranges: written with the batch, in its transaction."""

from __future__ import annotations

from edgenode.cityos.ranges import Range
from edgenode.cityos.store import Database

_STREAM = "node = ? AND spool = ? AND stream = ?"


def extend(db: Database, node: bytes, spool: bytes, stream: int, seq: int) -> None:
    """Add one seq that is not in any range yet, and join the ranges that now touch."""
    key = (node, spool, stream)
    below = db.execute(
        f"SELECT first FROM durable WHERE {_STREAM} AND first < ? AND last = ?"  # noqa: S608 - our own text
        " ORDER BY first DESC LIMIT 1",
        (*key, seq, seq - 1),
    ).fetchone()
    above = db.execute(
        f"DELETE FROM durable WHERE {_STREAM} AND first = ? RETURNING last",  # noqa: S608 - our own text
        (*key, seq + 1),
    ).fetchall()
    last = above[0][0] if above else seq
    if below is None:
        db.execute("INSERT INTO durable VALUES (?, ?, ?, ?, ?)", (*key, seq, last))
    else:
        db.execute(
            f"UPDATE durable SET last = ? WHERE {_STREAM} AND first = ?",  # noqa: S608 - our own text
            (last, *key, below[0]),
        )


def streams(db: Database, node: bytes, spool: bytes) -> list[int]:
    """Return the streams of a spool of which anything is durable."""
    rows = db.execute(
        "SELECT DISTINCT stream FROM durable WHERE node = ? AND spool = ? ORDER BY stream",
        (node, spool),
    )
    return [row[0] for row in rows]


def floor(db: Database, node: bytes, spool: bytes, stream: int) -> int:
    """Return the lowest seq the node still holds (key 13), 1 when it has not said."""
    row = db.execute(
        f"SELECT seq FROM held WHERE {_STREAM}",  # noqa: S608 - our own text
        (node, spool, stream),
    ).fetchone()
    return 1 if row is None else int(row[0])


def ranges(db: Database, node: bytes, spool: bytes, stream: int, lowest: int = 1) -> list[Range]:
    """Return the durable ranges from `lowest` upwards: inclusive, ascending, disjoint."""
    rows = db.execute(
        f"SELECT max(first, ?), last FROM durable WHERE {_STREAM} AND last >= ? ORDER BY first",  # noqa: S608 - our own text
        (lowest, node, spool, stream, lowest),
    )
    return [(first, last) for first, last in rows]


def lost(db: Database, node: bytes, spool: bytes, stream: int) -> list[Range]:
    """Return the ranges of seqs that the node says are gone."""
    rows = db.execute(
        f"SELECT seq, seq + batches - 1 FROM loss WHERE {_STREAM} AND batches > 0 ORDER BY seq",  # noqa: S608 - our own text
        (node, spool, stream),
    )
    return [(first, last) for first, last in rows]
