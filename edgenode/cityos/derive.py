"""From raw batches to rows: as soon as the birth is known, and the same again at any time."""

from __future__ import annotations

import zlib
from itertools import repeat

from edgenode.cityos.retime import Retiming
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.cityos.timing import Timeline
from edgenode.cityos.unfold import Column, Happening, unfold
from edgenode.errors import WireError
from edgenode.wire import Batch, Birth, decode

STEP = 64  # raw batches derived or timed again in one transaction
MAX_CACHED = 1_024  # births and timelines kept in memory

Dictionary = tuple[Birth, dict[tuple[int, int], int]]  # (gid, place) -> channel id


class Deriver:
    """Derives what is ready, in small transactions of its own."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._db = sink.db
        self._retiming = Retiming(sink)
        self._dictionaries: dict[tuple[bytes, bytes], Dictionary] = {}

    def step(self, limit: int = STEP) -> int:
        """Derive or re-time up to `limit` raw batches in one transaction; return how many."""
        if not self._due():
            return 0
        with self._sink.transaction():
            self._retiming.spread()
            return self._derive(limit) or self._retiming.step(limit)

    def run(self) -> None:
        """Derive all there is."""
        while self.step():
            pass

    def again(self, node: bytes) -> None:
        """Forget the rows of a node, so that the next steps derive them anew from the raw bytes."""
        self._dictionaries.clear()
        with self._sink.transaction():
            for table in ("cell", "occurrence", "moment"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE batch IN (SELECT id FROM raw WHERE node = ?)",  # noqa: S608 - our own names
                    (node,),
                )
            self._db.execute(
                "UPDATE raw SET work = ?, readings = NULL, first = NULL, last = NULL, fault = NULL"
                " WHERE node = ? AND work != ?",
                (Work.READY, node, Work.WAITING),
            )

    def _due(self) -> bool:
        query = "SELECT 1 FROM raw WHERE work IN (1, 2) LIMIT 1"
        return self._db.execute(query).fetchone() is not None or self._retiming.due()

    def _derive(self, limit: int) -> int:
        rows = self._db.execute(
            "SELECT id, bytes, crc FROM raw WHERE work = 1 ORDER BY id LIMIT ?", (limit,)
        ).fetchall()
        for batch_id, data, crc in rows:
            try:
                self._derive_one(batch_id, data, crc)
            except WireError as exc:
                self._fault(batch_id, str(exc))
        return len(rows)

    def _fault(self, batch_id: int, reason: str) -> None:
        node, arrival, topic = self._db.execute(
            "UPDATE raw SET work = ?, fault = ? WHERE id = ? RETURNING node, arrival, topic",
            (Work.FAULTY, reason, batch_id),
        ).fetchone()
        self._sink.alarm(arrival, node, "faulty", f"raw batch {batch_id} of {topic}: {reason}")

    def _derive_one(self, batch_id: int, data: bytes, crc: int) -> None:
        if zlib.crc32(data) != crc:
            raise WireError("the stored bytes were damaged at rest (CRC); restore them")
        batch = decode(data)
        if not isinstance(batch, Batch):
            raise WireError("the stored bytes are not a batch")
        birth, channels = self._dictionary(batch.node, batch.schema)
        columns, events = unfold(batch, birth)
        self._insert(batch_id, columns, events, channels)
        monos = {t for column in columns for t in column.times} | {x.event.t for x in events}
        timeline = self._retiming.timeline(batch.node, batch.spool, batch.epoch)
        self._time(batch_id, sorted(monos), timeline)
        self._db.execute(
            "UPDATE raw SET work = ?, readings = ?, first = ?, last = ?, fault = NULL WHERE id = ?",
            (Work.DONE, sum(len(c.values) for c in columns) + len(events),
             min(monos, default=None), max(monos, default=None), batch_id),
        )  # fmt: skip

    def _insert(
        self,
        batch_id: int,
        columns: list[Column],
        events: list[Happening],
        channels: dict[tuple[int, int], int],
    ) -> None:
        for c in columns:
            ordinals = range(c.first, c.first + c.step * len(c.values), c.step)
            self._db.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?)",
                zip(repeat(batch_id), ordinals, c.times, repeat(channels[c.gid, c.place]),
                    c.values, c.qualities, strict=False),
            )  # fmt: skip
        self._db.executemany(
            "INSERT INTO occurrence VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(batch_id, x.ordinal, x.event.t, x.event.ch, x.channel, x.event.code, x.value(),
              x.event.quality) for x in events],
        )  # fmt: skip

    def _time(self, batch_id: int, monos: list[int], timeline: Timeline) -> None:
        self._db.executemany(
            "INSERT INTO moment VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(batch_id, mono, *timeline.at(mono)) for mono in monos],
        )

    def _dictionary(self, node: bytes, schema: bytes) -> Dictionary:
        found = self._dictionaries.get((node, schema))
        if found is not None:
            return found
        data = self._sink.birth(node, schema)
        birth = None if data is None else decode(data)
        if not isinstance(birth, Birth):
            raise WireError(f"there is no birth of schema {schema.hex()}")
        ids = self._db.execute(
            "SELECT gid, place, id FROM channel WHERE node = ? AND schema = ?", (node, schema)
        )
        if len(self._dictionaries) >= MAX_CACHED:
            self._dictionaries.clear()
        found = birth, {(gid, place): number for gid, place, number in ids}
        self._dictionaries[node, schema] = found
        return found
