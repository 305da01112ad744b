"""Batches made durable: the raw bytes, and the account of what a node holds, lost and timed.

Several receivers may store at once. The primary key decides whose copy is the first; whatever is
written to rows that others may write too is written in the order of its key, so that two
receivers wait for one another and never in a circle.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.wire import Batch

Key = tuple[bytes, bytes, int, int]  # node, spool, stream, seq


class Arrived(NamedTuple):
    """A batch with the message it came in; `known` tells whether its birth is there."""

    batch: Batch
    payload: bytes
    arrival: int
    topic: str
    known: bool

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.batch.node, self.batch.spool, self.batch.stream, self.batch.seq


class Archive:
    """Stores batches, inside the caller's transaction."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def store(self, arrived: Sequence[Arrived]) -> list[bytes | None]:
        """Store each batch whose identity is free; else return the bytes that are held of it.

        The answers are in the order of `arrived`; None where the batch was stored.
        """
        order = sorted(range(len(arrived)), key=lambda i: arrived[i].key)
        entered = self._sink.each(
            "INSERT INTO raw (node, spool, stream, seq, epoch, r0, schema, held, bytes, crc,"
            " arrival, topic, work) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [_raw(arrived[i]) for i in order],
        )
        again = [i for i, rows in zip(order, entered, strict=True) if not rows]
        held = self._sink.each(
            "SELECT bytes FROM raw WHERE node = ? AND spool = ? AND stream = ? AND seq = ?",
            [arrived[i].key for i in again],
        )
        found: list[bytes | None] = [None] * len(arrived)
        for i, rows in zip(again, held, strict=True):
            found[i] = bytes(rows[0][0])
        self._account([x for x, bytes_ in zip(arrived, found, strict=True) if bytes_ is None])
        return found

    def _account(self, stored: list[Arrived]) -> None:
        if not stored:
            return
        spools: dict[tuple[bytes, bytes], int] = {}
        for x in stored:
            spools.setdefault((x.batch.node, x.batch.spool), x.arrival)
        # Of one node in the order of arrival: it is the order of its spools.
        rows = [(*spool, arrival) for spool, arrival in spools.items()]
        self._sink.db.executemany(
            "INSERT INTO spool (node, spool, arrival) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            sorted(rows, key=lambda row: row[0]),
        )
        self._hold(stored)
        batches = [x.batch for x in stored]
        self._time(batches)
        self._many(
            "INSERT INTO loss VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (node, spool, stream, r0, reason, seq) DO UPDATE SET readings ="
            " CASE WHEN excluded.readings > loss.readings THEN excluded.readings"
            " ELSE loss.readings END, batches ="
            " CASE WHEN excluded.batches > loss.batches THEN excluded.batches"
            " ELSE loss.batches END",
            ((x.node, x.spool, x.stream, loss.r0, int(loss.reason), loss.seq, loss.n, loss.nseq)
             for x in batches for loss in x.losses if loss.stream == x.stream),
        )  # fmt: skip

    def _hold(self, stored: list[Arrived]) -> None:
        """Note the lowest seq each node still holds of each stream, 1 where it does not say."""
        lowest: dict[tuple[bytes, bytes, int], int] = {}
        for x in stored:
            # A node holds what it sends: a key 13 above its own seq cannot be.
            floor = min(x.batch.held or 1, x.batch.seq)
            lowest[x.key[:3]] = max(floor, lowest.get(x.key[:3], 1))
        self._many(
            "INSERT INTO held VALUES (?, ?, ?, ?) ON CONFLICT (node, spool, stream)"
            " DO UPDATE SET seq = excluded.seq WHERE excluded.seq > held.seq",
            ((*stream, seq) for stream, seq in lowest.items()),
        )

    def _time(self, batches: list[Batch]) -> None:
        """Collect anchors per boot of a spool: a new spool may count its epochs from the start."""
        self._many(
            "INSERT INTO epoch (node, spool, epoch) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            {(x.node, x.spool, x.epoch) for x in batches},
        )
        self._many(
            "INSERT INTO anchor (node, spool, epoch, mono, utc, source, err)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            {
                (x.node, x.spool, x.epoch, a.mono, a.utc, int(a.source), a.err)
                for x in batches
                for a in x.anchors
            },
        )
        self._many(
            "INSERT INTO previous (node, spool, epoch, mono, utc, err)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            {(x.node, x.spool, *x.previous) for x in batches if x.previous is not None},
        )

    def _many(self, sql: str, rows: Iterable[tuple[bytes | int, ...]]) -> None:
        self._sink.db.executemany(sql, sorted(rows))


def _raw(x: Arrived) -> tuple[bytes | int | str | None, ...]:
    work = Work.READY if x.known else Work.WAITING
    return (
        *x.key, x.batch.epoch, x.batch.r0, x.batch.schema, x.batch.held, x.payload,
        zlib.crc32(x.payload), x.arrival, x.topic, int(work),
    )  # fmt: skip
