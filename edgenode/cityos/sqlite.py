"""The embedded sink: one SQLite file. One writer; any number of readers beside it (WAL)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any, Self

from edgenode.cityos.schema import open_file
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Boot, Derived, Latest, Stamp
from edgenode.cityos.timing import Span, Time
from edgenode.errors import CityError


class SqliteSink(Sink):
    """A sink in a file."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._connection = db
        self.db = db
        self.rows = SqliteRows(db)
        self.name = str(path)

    @classmethod
    def connect(cls, path: Path, *, readonly: bool) -> Self:
        """Open or make the file; raises CityError with what to do when it cannot serve."""
        return cls(open_file(path, readonly=readonly), path)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self, *, frozen: bool = False) -> Iterator[None]:  # noqa: ARG002 - always so
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
            if self._connection.in_transaction:
                self.db.execute("ROLLBACK")
            raise CityError(
                f"the sink {self.name} cannot be written: {exc}; make room or mend the disk and "
                "start again: nothing that is not stored was acknowledged"
            ) from exc

    def each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return [self._connection.execute(sql, row).fetchall() for row in rows]

    def stream(self, sql: str, parameters: Sequence[Any]) -> Iterator[Any]:
        return iter(self._connection.execute(sql, parameters))

    def client_id(self) -> str:
        """Return the client id: made once, kept in the file."""
        with self.transaction():
            self.db.execute(
                "INSERT INTO meta VALUES ('client', ?) ON CONFLICT DO NOTHING",
                (f"city-{secrets.token_hex(6)}",),
            )
        row = self.db.execute("SELECT value FROM meta WHERE name = 'client'").fetchone()
        return str(row[0])

    def lead(self) -> bool:
        return True  # nobody else writes

    @property
    def term(self) -> int:
        return 1


class SqliteRows:
    """Rows in three tables: cells and occurrences by ordinal, and the times they share."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, derived: Sequence[Derived]) -> None:
        for one in derived:
            self._add(one)

    def _add(self, one: Derived) -> None:
        for c in one.columns:
            ordinals = range(c.first, c.first + c.step * len(c.values), c.step)
            self._db.executemany(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?)",
                zip(repeat(one.batch), ordinals, c.times, repeat(one.channels[c.gid, c.place]),
                    c.values, c.qualities, strict=False),
            )  # fmt: skip
        self._db.executemany(
            "INSERT INTO occurrence VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(one.batch, x.ordinal, x.event.t, x.event.ch, x.channel, x.event.code, x.value(),
              x.event.quality) for x in one.events],
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO moment VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(one.batch, mono, *time) for mono, time in one.times.items()],
        )

    def monos(self, batch: int) -> list[int]:
        rows = self._db.execute("SELECT mono FROM moment WHERE batch = ?", (batch,))
        return [row[0] for row in rows]

    def retime(self, batch: int, times: dict[int, Time]) -> None:
        self._db.executemany(
            "UPDATE moment SET utc = ?, err = ?, earliest = ?, latest = ?, clock = ?"
            " WHERE batch = ? AND mono = ?",
            [(*time, batch, mono) for mono, time in times.items()],
        )

    def bound(self, boot: Boot, span: Span) -> None:
        self._db.execute(
            "UPDATE moment SET earliest = ?, latest = ? WHERE batch IN"
            " (SELECT id FROM raw WHERE node = ? AND spool = ? AND epoch = ?)",
            (*span, *boot),
        )

    def forget(self, node: bytes) -> None:
        for table in ("cell", "occurrence", "moment"):
            self._db.execute(
                f"DELETE FROM {table} WHERE batch IN (SELECT id FROM raw WHERE node = ?)",  # noqa: S608 - our own names
                (node,),
            )

    def latencies(self, node: bytes) -> list[int]:
        rows = self._db.execute(
            "SELECT raw.arrival - moment.utc FROM raw JOIN moment ON moment.batch = raw.id"
            " AND moment.mono = raw.last WHERE raw.node = ? AND moment.utc IS NOT NULL ORDER BY 1",
            (node,),
        )
        return [row[0] for row in rows]

    def clocks(self, node: bytes) -> list[tuple[int, int, int | None]]:
        return self._db.execute(
            "SELECT moment.clock, count(*), max(moment.err) FROM raw JOIN moment"
            " ON moment.batch = raw.id WHERE raw.node = ? GROUP BY moment.clock ORDER BY 1",
            (node,),
        ).fetchall()

    def latest(self, which: str) -> Iterator[Latest]:
        rows = self._db.execute(
            "SELECT node, spool, channel, code, which, epoch, mono, ordinal, batch FROM"  # noqa: S608 - our own codes
            f" (SELECT raw.node, raw.spool, o.channel, o.code, {which} AS which, raw.epoch,"
            " o.mono, o.ordinal, o.batch, row_number() OVER ("
            f"PARTITION BY raw.node, raw.spool, o.channel, o.code, {which}"
            " ORDER BY raw.epoch DESC, o.mono DESC, o.ordinal DESC, o.batch DESC) AS nth"
            " FROM occurrence AS o CROSS JOIN raw WHERE raw.id = o.batch AND o.code > 2) AS told"
            " WHERE nth = 1"
        )
        for node, spool, channel, code, part, epoch, mono, ordinal, batch in rows:
            yield Latest(node, spool, channel, code, part, (epoch, mono, ordinal), batch)

    def stamps(self, node: bytes, first: int) -> Iterator[Stamp]:
        rows = self._db.execute(
            "SELECT raw.arrival, length(raw.bytes), moment.utc, moment.err, moment.clock FROM raw"
            " LEFT JOIN moment ON moment.batch = raw.id AND moment.mono = raw.last"
            " WHERE raw.node = ? AND raw.id >= ? ORDER BY raw.id",
            (node, first),
        )
        return map(Stamp._make, rows)
