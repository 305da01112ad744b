"""Rows in PostgreSQL: readings in one table with a partition for each month, events in another.

A row without UTC, and one from a clock that tells a month nobody can have meant, is in the default
partition `sample_other`. One receiver at a time derives, and only that one writes here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from edgenode.cityos.postgres_link import PostgresDatabase
from edgenode.cityos.store import Boot, Derived, Latest, Stamp
from edgenode.cityos.timing import Span, Time

FIRST_YEAR = 2020  # a clock that tells an earlier one is not right
AHEAD_MS = 62 * 86_400_000  # nor is one that is so far ahead of ours
LOCK_WAIT = "2s"  # for readers of sample_other, when a month is added
COLUMNS = "batch, ordinal, mono, channel, value, quality, utc, err, earliest, latest, clock"
NULL = "\\N"  # in COPY's text format

Month = tuple[int, int]  # year, month


class PostgresRows:
    """Stores rows by COPY and makes the partitions as they are needed."""

    def __init__(self, db: PostgresDatabase) -> None:
        self._db = db
        self._months: set[Month] = set()

    def add(self, derived: Sequence[Derived]) -> None:
        if not derived:
            return
        self._prepare(time for one in derived for time in one.times.values())
        self._db.copy(
            f"COPY sample ({COLUMNS}) FROM STDIN",
            ("".join(_lines(one)).encode() for one in derived),
        )
        self._db.executemany(
            "INSERT INTO occurrence (batch, ordinal, mono, ch, channel, code, value, quality, utc,"
            " err, earliest, latest, clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(one.batch, x.ordinal, x.event.t, x.event.ch, x.channel, int(x.event.code),
              x.value(), int(x.event.quality), *_columns(one.times[x.event.t]))
             for one in derived for x in one.events],
        )  # fmt: skip

    def monos(self, batch: int) -> list[int]:
        rows = self._db.execute(
            "SELECT mono FROM sample WHERE batch = ? UNION SELECT mono FROM occurrence"
            " WHERE batch = ?",
            (batch, batch),
        )
        return [row[0] for row in rows]

    def retime(self, batch: int, times: dict[int, Time]) -> None:
        self._prepare(times.values())
        told = [_columns(time) for time in times.values()]
        lists = [list(times), *([row[i] for row in told] for i in range(5))]
        for table in ("sample", "occurrence"):
            self._db.execute(
                f"UPDATE {table} AS t SET utc = n.utc, err = n.err, earliest = n.earliest,"  # noqa: S608 - our own names
                " latest = n.latest, clock = n.clock FROM unnest(?::bigint[], ?::bigint[],"
                " ?::bigint[], ?::bigint[], ?::bigint[], ?::int[])"
                " AS n (mono, utc, err, earliest, latest, clock)"
                " WHERE t.batch = ? AND t.mono = n.mono",
                (*lists, batch),
            )

    def bound(self, boot: Boot, span: Span) -> None:
        for table in ("sample", "occurrence"):
            self._db.execute(
                f"UPDATE {table} SET earliest = ?, latest = ? WHERE utc IS NULL AND batch IN"  # noqa: S608 - our own names
                " (SELECT id FROM raw WHERE node = ? AND spool = ? AND epoch = ?)",
                (*span, *boot),
            )

    def forget(self, node: bytes) -> None:
        for table in ("sample", "occurrence"):
            self._db.execute(
                f"DELETE FROM {table} WHERE batch IN (SELECT id FROM raw WHERE node = ?)",  # noqa: S608 - our own names
                (node,),
            )

    def latencies(self, node: bytes) -> list[int]:
        rows = self._db.execute(
            "SELECT raw.arrival - x.utc FROM raw JOIN LATERAL ("
            "(SELECT utc FROM sample WHERE batch = raw.id AND mono = raw.last LIMIT 1) UNION"
            " (SELECT utc FROM occurrence WHERE batch = raw.id AND mono = raw.last LIMIT 1)"
            ") AS x ON x.utc IS NOT NULL WHERE raw.node = ? ORDER BY 1",
            (node,),
        )
        return [row[0] for row in rows]

    def clocks(self, node: bytes) -> list[tuple[int, int, int | None]]:
        return self._db.execute(
            "SELECT clock, count(*), max(err) FROM ("
            "SELECT batch, mono, clock, err FROM sample JOIN channel ON channel.id = sample.channel"
            " WHERE channel.node = ? UNION SELECT batch, mono, clock, err FROM occurrence"
            " JOIN raw ON raw.id = batch WHERE raw.node = ?) AS stamp GROUP BY clock ORDER BY 1",
            (node, node),
        ).fetchall()

    def latest(self, which: str) -> Iterator[Latest]:
        # The greatest of arrays is found without sorting all events, as a window would.
        rows = self._db.execute(
            "SELECT raw.node, raw.spool, o.channel, o.code,"  # noqa: S608 - our own codes
            f" {which}, max(ARRAY[raw.epoch, o.mono, o.ordinal, o.batch])"
            " FROM occurrence AS o JOIN raw ON raw.id = o.batch WHERE o.code > 2"
            " GROUP BY 1, 2, 3, 4, 5"
        )
        for node, spool, channel, code, part, (epoch, mono, ordinal, batch) in rows:
            yield Latest(node, spool, channel, code, part, (epoch, mono, ordinal), batch)

    def stamps(self, node: bytes, first: int) -> Iterator[Stamp]:
        rows = self._db.execute(
            "SELECT raw.arrival, length(raw.bytes), x.utc, x.err, x.clock FROM raw"
            " LEFT JOIN LATERAL ("
            "(SELECT utc, err, clock FROM sample WHERE batch = raw.id AND mono = raw.last LIMIT 1)"
            " UNION (SELECT utc, err, clock FROM occurrence WHERE batch = raw.id"
            " AND mono = raw.last LIMIT 1)) AS x ON true"
            " WHERE raw.node = ? AND raw.id >= ? ORDER BY raw.id",
            (node, first),
        )
        return map(Stamp._make, rows)

    def _prepare(self, times: Iterable[Time]) -> None:
        """Make the partitions that these times need, before any row of them is written."""
        first, last = _ms((FIRST_YEAR, 1)), time.time_ns() // 1_000_000 + AHEAD_MS
        days = {x.utc // 86_400_000 for x in times if x.utc is not None and first <= x.utc <= last}
        for month in sorted({_month(day) for day in days} - self._months):
            self._add_month(month)

    def _add_month(self, month: Month) -> None:
        name = "sample_{}_{:02}".format(*month)
        start, end = _ms(month), _ms((month[0] + month[1] // 12, month[1] % 12 + 1))
        there = self._db.execute("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (name,)).fetchone()
        if there is None:
            self._db.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            self._db.execute(f"CREATE TABLE {name} (LIKE sample)")
            # What came when its clock seemed too far ahead.
            self._db.execute(
                "WITH moved AS (DELETE FROM sample_other WHERE utc >= ? AND utc < ? RETURNING *)"  # noqa: S608 - our own names
                f" INSERT INTO {name} SELECT * FROM moved",
                (start, end),
            )
            self._db.execute(
                f"ALTER TABLE sample ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})"
            )
        self._db.after_commit(lambda: self._months.add(month))


def _lines(one: Derived) -> Iterator[str]:
    """Yield the readings of a batch in the text format of COPY."""
    stamps = {
        mono: "\t".join(NULL if x is None else str(int(x)) for x in _columns(time))
        for mono, time in one.times.items()
    }
    for c in one.columns:
        channel = one.channels[c.gid, c.place]
        ordinal = c.first
        for mono, value, quality in zip(c.times, c.values, c.qualities, strict=True):
            number = NULL if value is None else value
            yield (
                f"{one.batch}\t{ordinal}\t{mono}\t{channel}\t{number}\t{quality:d}\t{stamps[mono]}\n"
            )
            ordinal += c.step


def _columns(time: Time) -> tuple[int | None, int | None, int | None, int | None, int]:
    """Return the time columns; where UTC is known the interval follows from it."""
    if time.utc is None:
        return None, None, time.earliest, time.latest, int(time.clock)
    return time.utc, time.err, None, None, int(time.clock)


def _month(day: int) -> Month:
    moment = datetime.fromtimestamp(day * 86_400, UTC)
    return moment.year, moment.month


def _ms(month: Month) -> int:
    return int(datetime(*month, 1, tzinfo=UTC).timestamp()) * 1_000
