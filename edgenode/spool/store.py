"""The store: sealed batches, who has custody of them, and the small things beside them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from edgenode.reading import Stream
from edgenode.spool.checksum import row_crc
from edgenode.spool.database import PAGE, Database
from edgenode.spool.ledger import Ledger
from edgenode.spool.model import STREAMS
from edgenode.wire import Loss, LossReason

SHIFT = 40
TABLES = {"meta": 3, "batch": 9, "custody": 4, "birth": 4}
SPARE_PAGES = 48  # of a transaction beside its batches
_EVICTION = (  # (stream, alarms too): oldest telemetry first, alarms last
    (Stream.TELEMETRY, 1),
    (Stream.HEALTH, 1),
    (Stream.AUDIT, 1),
    (Stream.EVENTS, 0),
    (Stream.EVENTS, 1),
)


class Meta(IntEnum):
    """Keys of the table meta; every value is CBOR."""

    STATE = 1
    TOTALS = 2
    LOSSES = 3
    TIMES = 4
    CONDITIONS = 5
    TRAFFIC = 6
    WEAR = 7
    UNENDED = 8


class Custody(IntEnum):
    """Who has a batch; without a row it is sealed, and the node's alone."""

    BROKER = 1
    SET_ASIDE = 2


class StoredBatch(NamedTuple):
    """A row of the table batch."""

    id: int
    epoch: int
    schema: bytes
    r0: int
    readings: int
    alarm: int
    t: int
    data: bytes


class Held(NamedTuple):
    """The lowest batch of a stream that is held."""

    seq: int
    r0: int


@dataclass
class Change:
    """What one transaction does. `stored_losses` is the ledger as the store has it."""

    ledger: Ledger
    stored_losses: bytes = b""
    batches: Sequence[StoredBatch] = ()
    pruned: Sequence[tuple[int, int]] = ()  # ids, inclusive
    custody: Sequence[tuple[int, int, str]] = ()
    meta: dict[int, bytes] = field(default_factory=dict)


class Applied(NamedTuple):
    """What a transaction did beside what it was told."""

    ledger: Ledger
    losses: bytes  # the ledger as it is stored now
    evicted: int  # readings
    evicted_batches: int
    pruned: int  # batches


def batch_id(stream: int, seq: int) -> int:
    """Return the key of a batch; streams sort before seqs."""
    return stream << SHIFT | seq


def place_of(key: int) -> tuple[int, int]:
    """Return (stream, seq) of a key."""
    return key >> SHIFT, key & (1 << SHIFT) - 1


def room_of(batch: StoredBatch) -> int:
    """Return the bytes that a batch takes in the store, which come in pages."""
    return (len(batch.data) // (PAGE - 4) + 1) * PAGE


class Store:
    """Rows in and out of the database. `lock` may be held for as long as the card stalls."""

    def __init__(self, path: Path, cap_bytes: int, *, pregrow: bool) -> None:
        self.database = Database(path, cap_bytes, pregrow=pregrow)
        self.one, self.all = self.database.one, self.database.all

    def meta(self) -> dict[int, bytes]:
        """Return the small things whose checksum fits."""
        rows = self.all("SELECT id, value, crc FROM meta")
        return {key: value for key, value, crc in rows if row_crc("meta", key, value) == crc}

    def births(self) -> dict[bytes, bytes]:
        """Return the encoded births by schema."""
        rows = self.all("SELECT id, schema, data, crc FROM birth")
        return {row[1]: row[2] for row in rows if row_crc("birth", *row[:3]) == row[3]}

    def set_births(self, births: Mapping[bytes, bytes]) -> None:
        """Make the table hold exactly these births."""

        def work() -> None:
            self.database.connection.execute("DELETE FROM birth")
            rows = [(i, schema, data) for i, (schema, data) in enumerate(births.items(), 1)]
            self.database.connection.executemany(
                "INSERT INTO birth VALUES (?, ?, ?, ?)",
                [(*row, row_crc("birth", *row)) for row in rows],
            )

        self.database.transaction(work)

    def schemas(self) -> set[bytes]:
        """Return the schemas of the batches held."""
        return {row[0] for row in self.all("SELECT DISTINCT schema FROM batch")}

    def lowest(self, stream: int) -> Held | None:
        """Return the lowest batch of a stream that is held."""
        rows = self.all(
            "SELECT id, r0 FROM batch WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
            batch_id(stream, 0),
            batch_id(stream + 1, 0),
        )
        return Held(place_of(rows[0][0])[1], rows[0][1]) if rows else None

    def highest(self, stream: int) -> tuple[int, int] | None:
        """Return (seq, ordinal behind it) of the highest batch of a stream that is held."""
        rows = self.all(
            "SELECT id, r0 + readings FROM batch WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
            batch_id(stream, 0),
            batch_id(stream + 1, 0),
        )
        return (place_of(rows[0][0])[1], rows[0][1]) if rows else None

    def apply(self, change: Change) -> Applied:
        """Do it all in one transaction, evicting first where the cap is near."""
        return self.database.transaction(lambda: self._apply(change))

    def _apply(self, change: Change) -> Applied:
        run = self.database.connection
        ledger = change.ledger.copy()
        pruned = sum(
            run.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", span).rowcount
            for span in change.pruned
        )
        run.executemany("DELETE FROM custody WHERE id BETWEEN ? AND ?", change.pruned)
        run.executemany(
            "INSERT OR REPLACE INTO custody SELECT ?1, ?2, ?3, ?4"
            " WHERE EXISTS (SELECT 1 FROM batch WHERE id = ?1)",
            [(*row, row_crc("custody", *row)) for row in change.custody],
        )
        need = sum(map(room_of, change.batches)) // PAGE + len(change.batches) + SPARE_PAGES
        evicted, evicted_batches = self._evict(need, ledger) if change.batches else (0, 0)
        run.executemany(
            "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*batch, row_crc("batch", *batch)) for batch in change.batches],
        )
        losses = ledger.dump()
        self._put(change.meta | ({Meta.LOSSES: losses} if losses != change.stored_losses else {}))
        return Applied(ledger, losses, evicted, evicted_batches, pruned)

    def _put(self, meta: Mapping[int, bytes]) -> None:
        self.database.connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)",
            [(int(key), value, row_crc("meta", int(key), value)) for key, value in meta.items()],
        )

    def _evict(self, need: int, ledger: Ledger) -> tuple[int, int]:
        """Delete the oldest until the batches to come fit; each is a loss.

        Returns (readings, batches) that went.
        """
        most = self.database.share * self.database.cap_pages
        readings = batches = 0
        while self.database.used_pages() + need > most and (row := self._oldest()):
            key, r0, count = row
            stream, seq = place_of(key)
            self.database.connection.execute("DELETE FROM batch WHERE id = ?", (key,))
            self.database.connection.execute("DELETE FROM custody WHERE id = ?", (key,))
            ledger.add(Loss(stream, r0, count, LossReason.DISK_FULL, seq, 1))
            readings, batches = readings + count, batches + 1
        return readings, batches

    def _oldest(self) -> tuple[int, int, int] | None:
        for stream, alarms in _EVICTION:
            rows = self.all(
                "SELECT id, r0, readings FROM batch"
                " WHERE id >= ? AND id < ? AND alarm <= ? ORDER BY id LIMIT 1",
                batch_id(stream, 0),
                batch_id(stream + 1, 0),
                alarms,
            )
            if rows:
                return int(rows[0][0]), int(rows[0][1]), int(rows[0][2])
        return None

    def check(self) -> None:
        """Let SQLite look at every page; raises sqlite3.DatabaseError when one is bad."""
        result = self.one("PRAGMA quick_check(1)")
        if result != "ok":
            raise sqlite3.DatabaseError(f"quick_check: {result}")

    def check_rows(self, after: int, limit: int) -> tuple[bool, int | None]:
        """Check the checksums of the batches behind id `after`; raises sqlite3.DatabaseError.

        Returns (whether all fit, where to go on or None).
        """
        rows = self.all("SELECT * FROM batch WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        sound = all(row_crc("batch", *row[:-1]) == row[-1] for row in rows)
        return sound, rows[-1][0] if len(rows) == limit else None

    def oldest(self, epoch: int) -> int | None:
        """Return the boot-time ms of the oldest batch held; None when of another epoch, or none."""
        lowest = (self.lowest(stream) for stream in STREAMS)
        ids = [batch_id(stream, held.seq) for stream, held in enumerate(lowest) if held]
        rows = [
            row for key in ids for row in self.all("SELECT epoch, t FROM batch WHERE id = ?", key)
        ]
        return min((row[1] for row in rows if row[0] == epoch), default=None)

    def held(self) -> int:
        """Count the batches held; reads every leaf, so ask seldom."""
        return int(self.one("SELECT count(*) FROM batch"))

    def unconfirmed(self) -> int:
        """Count the batches that a broker acknowledged, as far as written."""
        return int(self.one("SELECT count(*) FROM custody WHERE state = 1"))
