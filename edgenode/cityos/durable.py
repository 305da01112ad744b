"""What is durable of a spool, as ranges of seqs: always computed from the raw batches.

And which spool of a node is the one in use: that whose connection was heard last. It is not the
one that came last: a node whose disk failed at one start goes on with an older spool at the next,
and an old card may come as a file years later. Nor is it the one whose batches came last, since a
node sends what older spools still hold under their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from edgenode.cityos.ranges import Range
from edgenode.cityos.store import Database, Each

# The spool in use comes last. Those without any state count where no spool of the node has one.
_BY_USE = (
    "SELECT spool.node, spool.spool, state.online FROM spool LEFT JOIN state"
    " ON state.node = spool.node AND state.spool = spool.spool {}"
    " ORDER BY coalesce(state.arrival, -1), spool.id"
)
_OF_ONE = "WHERE spool.node = ?"
_HELD = (
    # Within a run without gaps, seq minus its rank is constant.
    "SELECT stream, floor, min(seq), max(seq) FROM (SELECT raw.stream, held.seq AS floor,"
    " raw.seq, raw.seq - row_number() OVER (PARTITION BY raw.stream ORDER BY raw.seq) AS run"
    " FROM held JOIN raw ON raw.node = held.node AND raw.spool = held.spool"
    " AND raw.stream = held.stream AND raw.seq >= held.seq"
    " WHERE held.node = ? AND held.spool = ?) AS numbered"
    " GROUP BY stream, floor, run ORDER BY 1, 3"
)
_LOST = (
    "SELECT stream, seq, seq + batches - 1 FROM loss WHERE node = ? AND spool = ?"
    " AND batches > 0 ORDER BY stream, seq"
)

Spool = tuple[bytes, bytes]  # its node, its id


class Held(NamedTuple):
    """One stream: the lowest seq the node still holds, and what is durable from there upwards."""

    floor: int
    ranges: list[Range]  # inclusive, ascending, disjoint


def held(db: Database, node: bytes, spool: bytes) -> dict[int, Held]:
    """Return what is durable of each stream of a spool; what the node has forgotten is left out."""
    return _held(db.execute(_HELD, (node, spool)))


def held_of(each: Each, spools: Sequence[Spool]) -> list[dict[int, Held]]:
    """Return the same of each of many spools, in one round trip."""
    return [_held(rows) for rows in each(_HELD, spools)]


def _held(rows: Iterable[Any]) -> dict[int, Held]:
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
    return _lost(db.execute(_LOST, (node, spool)))


def lost_of(each: Each, spools: Sequence[Spool]) -> list[dict[int, list[Range]]]:
    """Return the same of each of many spools, in one round trip."""
    return [_lost(rows) for rows in each(_LOST, spools)]


def _lost(rows: Iterable[Any]) -> dict[int, list[Range]]:
    found: dict[int, list[Range]] = {}
    for stream, first, last in rows:
        found.setdefault(stream, []).append((first, last))
    return found


def spools_in_use(db: Database) -> dict[bytes, bytes]:
    """Return of each node the spool in use."""
    rows = db.execute(_BY_USE.format(""))
    return {bytes(node): bytes(spool) for node, spool, _ in rows}  # the last of a node stays


def spool_in_use(db: Database, node: bytes) -> bytes | None:
    """Return the node's spool in use, None while nothing of any is known."""
    rows = db.execute(_BY_USE.format(_OF_ONE), (node,)).fetchall()
    return bytes(rows[-1][1]) if rows else None


def online(each: Each, nodes: Sequence[bytes]) -> list[bool | None]:
    """Return what each node's spool in use told of its connection last, None for nothing."""
    found = each(_BY_USE.format(_OF_ONE), [(node,) for node in nodes])
    return [bool(rows[-1][2]) if rows and rows[-1][2] is not None else None for rows in found]
