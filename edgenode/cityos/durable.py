"""What is durable of a spool, as ranges of seqs: always computed from the raw batches."""

from __future__ import annotations

from typing import NamedTuple

from edgenode.cityos.ranges import Range
from edgenode.cityos.store import Database


class Held(NamedTuple):
    """One stream: the lowest seq the node still holds, and what is durable from there upwards."""

    floor: int
    ranges: list[Range]  # inclusive, ascending, disjoint


def held(db: Database, node: bytes, spool: bytes) -> dict[int, Held]:
    """Return what is durable of each stream of a spool; what the node has forgotten is left out."""
    rows = db.execute(
        # Within a run without gaps, seq minus its rank is constant.
        "SELECT stream, floor, min(seq), max(seq) FROM (SELECT raw.stream, held.seq AS floor,"
        " raw.seq, raw.seq - row_number() OVER (PARTITION BY raw.stream ORDER BY raw.seq) AS run"
        " FROM held JOIN raw ON raw.node = held.node AND raw.spool = held.spool"
        " AND raw.stream = held.stream AND raw.seq >= held.seq"
        " WHERE held.node = ? AND held.spool = ?) AS numbered"
        " GROUP BY stream, floor, run ORDER BY 1, 3",
        (node, spool),
    )
    found: dict[int, Held] = {}
    for stream, floor, first, last in rows:
        found.setdefault(stream, Held(floor, [])).ranges.append((first, last))
    return found


def streams(db: Database, node: bytes, spool: bytes) -> dict[int, int]:
    """Return the streams of a spool of which anything is durable, and the floor of each."""
    rows = db.execute(
        "SELECT stream, seq FROM held WHERE node = ? AND spool = ? ORDER BY stream", (node, spool)
    )
    return dict(rows.fetchall())


def lost(db: Database, node: bytes, spool: bytes) -> dict[int, list[Range]]:
    """Return the ranges of seqs that the node says are gone, by stream."""
    rows = db.execute(
        "SELECT stream, seq, seq + batches - 1 FROM loss WHERE node = ? AND spool = ?"
        " AND batches > 0 ORDER BY stream, seq",
        (node, spool),
    )
    found: dict[int, list[Range]] = {}
    for stream, first, last in rows:
        found.setdefault(stream, []).append((first, last))
    return found


def newest(db: Database, node: bytes) -> bytes | None:
    """Return the node's latest spool, None while nothing of it is durable."""
    row = db.execute(
        "SELECT spool, EXISTS (SELECT 1 FROM held WHERE held.node = spool.node"
        " AND held.spool = spool.spool) FROM spool WHERE node = ? ORDER BY id DESC LIMIT 1",
        (node,),
    ).fetchone()
    return bytes(row[0]) if row is not None and row[1] else None
