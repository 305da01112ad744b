"""The embedded sink: one SQLite file that holds what a city received, and answers about it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from edgenode.cityos.schema import connect
from edgenode.errors import CityError
from edgenode.reading import Anchor

MAX_ALARMS = 10_000  # kept; the counters go on
PRUNE_EVERY = 256


class ReadingRow(NamedTuple):
    """One reading. Times are ms: `mono` since boot of `epoch`, the others POSIX.

    `value` is in the unit of the birth, None where the quality says that there is no number.
    `utc` and `err` are None where only the interval is known; see `timing.Time`.
    """

    spool: bytes
    stream: int
    seq: int
    ordinal: int
    epoch: int
    mono: int
    channel: str
    value: float | None
    quality: int
    utc: int | None
    err: int | None
    earliest: int | None
    latest: int | None
    clock: int
    unit: str


class EventRow(NamedTuple):
    """One event; `channel` is its name, "<sensor>/*" for a whole sensor, None for the node.

    `value` is JSON text or None; the times are those of ReadingRow.
    """

    spool: bytes
    stream: int
    seq: int
    ordinal: int
    epoch: int
    mono: int
    channel: str | None
    code: int
    value: str | None
    quality: int
    utc: int | None
    err: int | None
    earliest: int | None
    latest: int | None
    clock: int


class Presence(NamedTuple):
    """What is known of a node's connection: state is online, offline, silent or unknown."""

    state: str
    last_seen: int  # arrival of its last live message, POSIX ms


class Sink:
    """The city's durable store. One writer; any number of readers beside it (WAL)."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self.db = db
        self.path = path

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False) -> Self:
        """Open or make the sink; raises CityError with what to do when it cannot serve."""
        return cls(connect(path, readonly=readonly), path)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable on leaving; raises CityError when the disk refuses."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")
        except sqlite3.Error as exc:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise CityError(
                f"the sink {self.path} cannot be written: {exc}; make room or mend the disk and "
                "start again: nothing that is not stored was acknowledged"
            ) from exc

    def client_id(self) -> str:
        """Return the MQTT client id of this sink's persistent session: made once, kept in it."""
        with self.transaction():
            self.db.execute(
                "INSERT OR IGNORE INTO meta VALUES ('client', ?)", (f"city-{secrets.token_hex(6)}",)
            )
        row = self.db.execute("SELECT value FROM meta WHERE name = 'client'").fetchone()
        return str(row[0])

    # What happened to messages: inside the caller's transaction.

    def count(self, node: bytes, name: str) -> None:
        self.db.execute(
            "INSERT INTO counter VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (node, name)
        )

    def alarm(self, arrival: int, node: bytes, kind: str, detail: str) -> None:
        """Count and remember something that a person should look at."""
        self.count(node, kind)
        cursor = self.db.execute(
            "INSERT INTO alarm (arrival, node, kind, detail) VALUES (?, ?, ?, ?)",
            (arrival, node, kind, detail),
        )
        self._prune("alarm", cursor.lastrowid, MAX_ALARMS)

    def _prune(self, table: str, newest: int | None, keep: int) -> None:
        if newest is not None and newest % PRUNE_EVERY == 0:
            self.db.execute(f"DELETE FROM {table} WHERE id <= ?", (newest - keep,))  # noqa: S608 - our own names

    # Questions.

    def counters(self, node: bytes) -> dict[str, int]:
        """Return how often each thing happened to this node's messages."""
        return dict(self.db.execute("SELECT name, n FROM counter WHERE node = ?", (node,)))

    def nodes(self) -> list[bytes]:
        """Return the nodes of which anything durable is held."""
        return [row[0] for row in self.db.execute("SELECT DISTINCT node FROM spool ORDER BY node")]

    def spools(self, node: bytes) -> list[bytes]:
        """Return the node's spools, in the order of their first arrival."""
        rows = self.db.execute("SELECT spool FROM spool WHERE node = ? ORDER BY id", (node,))
        return [row[0] for row in rows]

    def birth(self, node: bytes, schema: bytes) -> bytes | None:
        """Return the bytes of a birth, None when it has not arrived."""
        row = self.db.execute(
            "SELECT bytes FROM birth WHERE node = ? AND schema = ?", (node, schema)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def about(self, node: bytes) -> bytes | None:
        """Return the bytes of the node's latest about, None when none has arrived."""
        row = self.db.execute("SELECT bytes FROM about WHERE node = ?", (node,)).fetchone()
        return None if row is None else bytes(row[0])

    def anchors(self, node: bytes, spool: bytes, epoch: int) -> list[Anchor]:
        """Return all anchors received of one boot."""
        rows = self.db.execute(
            "SELECT mono, utc, source, err FROM anchor WHERE node = ? AND spool = ? AND epoch = ?",
            (node, spool, epoch),
        )
        return [Anchor(*row) for row in rows]

    def presence(self, node: bytes) -> Presence:
        """Return the node's state: by its highest (epoch, connect), unless it is silent."""
        row = self.db.execute(
            "SELECT last_seen, silent FROM node WHERE node = ?", (node,)
        ).fetchone()
        last_seen, silent = row or (0, 0)
        state = self.db.execute(
            "SELECT online FROM state JOIN spool USING (node, spool) WHERE node = ?"
            " ORDER BY spool.id DESC LIMIT 1",
            (node,),
        ).fetchone()
        if state is None:
            return Presence("silent" if silent else "unknown", last_seen)
        if not state[0]:
            return Presence("offline", last_seen)
        return Presence("silent" if silent else "online", last_seen)

    def readings(self, node: bytes) -> Iterator[ReadingRow]:
        """Yield all readings whose birth is known, by spool, stream and ordinal."""
        yield from map(ReadingRow._make, self.db.execute(
            "SELECT spool, stream, seq, ordinal, epoch, mono, channel, value, quality, utc, err,"
            " earliest, latest, clock, unit FROM reading WHERE node = ?"
            " ORDER BY spool, stream, seq, ordinal",
            (node,),
        ))  # fmt: skip

    def events(self, node: bytes) -> Iterator[EventRow]:
        """Yield all events whose birth is known, by spool, stream and ordinal."""
        yield from map(EventRow._make, self.db.execute(
            "SELECT spool, stream, seq, ordinal, epoch, mono, channel, code, value, quality, utc,"
            " err, earliest, latest, clock FROM event WHERE node = ?"
            " ORDER BY spool, stream, seq, ordinal",
            (node,),
        ))  # fmt: skip
