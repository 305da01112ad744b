"""From raw batches to rows: as soon as the birth is known, and the same again at any time."""

from __future__ import annotations

import zlib

from edgenode.cityos import outbox
from edgenode.cityos.retime import Retiming
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Derived
from edgenode.cityos.timing import Time
from edgenode.cityos.unfold import unfold
from edgenode.errors import CityError, WireError
from edgenode.wire import Batch, Birth, decode

STEP = 64  # raw batches derived or timed again in one transaction
MAX_CACHED = 1_024  # births and timelines kept in memory

# Batches that wait though their birth is there.
_MET = (
    "FROM raw JOIN birth ON birth.node = raw.node AND birth.schema = raw.schema WHERE raw.work = 0"
)

Dictionary = tuple[Birth, dict[tuple[int, int], int]]  # (gid, place) -> channel id


class Deriver:
    """Derives what is ready, in small transactions of its own."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._db = sink.db
        self._retiming = Retiming(sink)
        self._dictionaries: dict[tuple[bytes, bytes], Dictionary] = {}
        self._term = sink.term

    def step(self, limit: int = STEP) -> int:
        """Derive or re-time up to `limit` raw batches in one transaction; return how many."""
        if not self._sink.lead():
            return 0
        if self._term != self._sink.term:
            self._forget()
        if not self._due():
            return 0
        try:
            with self._sink.transaction(frozen=True):
                self._retiming.spread()
                return self._derive(limit) or self._retiming.step(limit)
        except CityError:
            self._forget()  # what was remembered of it may not be so
            raise

    def run(self) -> None:
        """Derive all there is."""
        while self.step():
            pass

    def again(self, node: bytes) -> None:
        """Forget the rows of a node, so that the next steps derive them anew from the raw bytes."""
        self._dictionaries.clear()
        with self._sink.transaction():
            self._sink.rows.forget(node)
            self._db.execute(
                "UPDATE raw SET work = ?, readings = NULL, first = NULL, last = NULL, fault = NULL"
                " WHERE node = ? AND work != ?",
                (Work.READY, node, Work.WAITING),
            )

    def match(self) -> None:
        """Wake the batches whose birth came in another receiver's transaction at the same time."""
        if self._sink.lead() and self._db.execute(f"SELECT 1 {_MET} LIMIT 1").fetchone():
            with self._sink.transaction():
                self._db.execute(
                    f"UPDATE raw SET work = ? WHERE id IN (SELECT raw.id {_MET})",  # noqa: S608 - our own text
                    (Work.READY,),
                )

    def _forget(self) -> None:
        self._term = self._sink.term
        self._dictionaries.clear()
        self._retiming = Retiming(self._sink)

    def _due(self) -> bool:
        query = "SELECT 1 FROM raw WHERE work IN (1, 2) LIMIT 1"
        return self._db.execute(query).fetchone() is not None or self._retiming.due()

    def _derive(self, limit: int) -> int:
        rows = self._db.execute(
            "SELECT id, bytes, crc FROM raw WHERE work = 1 ORDER BY id LIMIT ?", (limit,)
        ).fetchall()
        derived = []
        for batch_id, data, crc in rows:
            try:
                derived.append(self._derive_one(batch_id, data, crc))
            except WireError as exc:
                self._fault(batch_id, str(exc))
        self._sink.rows.add(derived)
        self._db.executemany(
            "UPDATE raw SET work = ?, readings = ?, first = ?, last = ?, fault = NULL WHERE id = ?",
            [_done(one) for one in derived],
        )
        outbox.tell(self._db, [one.batch for one in derived if _timed(one.times)])
        return len(rows)

    def _fault(self, batch_id: int, reason: str) -> None:
        node, arrival, topic = self._db.execute(
            "UPDATE raw SET work = ?, fault = ? WHERE id = ? RETURNING node, arrival, topic",
            (Work.FAULTY, reason, batch_id),
        ).fetchone()
        self._sink.count(node, "faulty")
        self._sink.alarm(arrival, node, "faulty", f"raw batch {batch_id} of {topic}: {reason}")

    def _derive_one(self, batch_id: int, data: bytes, crc: int) -> Derived:
        if zlib.crc32(data) != crc:
            raise WireError("the stored bytes were damaged at rest (CRC); restore them")
        batch = decode(data)
        if not isinstance(batch, Batch):
            raise WireError("the stored bytes are not a batch")
        birth, channels = self._dictionary(batch.node, batch.schema)
        columns, events = unfold(batch, birth)
        monos = {t for column in columns for t in column.times} | {x.event.t for x in events}
        timeline = self._retiming.timeline(batch.node, batch.spool, batch.epoch)
        times = {mono: timeline.at(mono) for mono in sorted(monos)}
        return Derived(batch_id, columns, events, channels, times)

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


def _done(one: Derived) -> tuple[int, int, int | None, int | None, int]:
    readings = sum(len(column.values) for column in one.columns) + len(one.events)
    first, last = min(one.times, default=None), max(one.times, default=None)
    return Work.DONE, readings, first, last, one.batch


def _timed(times: dict[int, Time]) -> bool:
    """Tell whether UTC is known: of one boot it is for all rows or for none."""
    return any(time.utc is not None for time in times.values())
