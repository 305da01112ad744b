"""What exporters read: every reading once its time is known, at least once, in one order.

An entry is a raw batch; it enters when its rows have UTC for the first time. Later and better
times of the same rows change the tables alone. An exporter keeps a cursor in the sink and moves it
when the other side has the readings. Nothing here is waited for by an ack.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Database
from edgenode.errors import CityError

MAX_BATCHES = 1_000_000  # kept for exporters that are away: 20 days of 34 nodes at 1 a minute
PRUNE_EVERY = 1_024
PAGE = 64  # batches read at once
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Reading(NamedTuple):
    """One reading; (node, spool, stream, ordinal) is its identity for ever.

    `value` is in `unit` (SenML, else UCUM), None where the quality says that there is no number.
    `utc_ms` is POSIX ms and wrong by at most `err_ms`.
    """

    position: int  # of the batch it came in
    node: bytes
    spool: bytes
    stream: int
    ordinal: int
    channel: str  # "<sensor>/<quantity>"
    unit: str
    observed: str  # e.g. "AirQualityObserved/pm25", "" where the birth does not say
    kind: int  # edgenode.reading.Kind
    utc_ms: int
    err_ms: int
    value: float | None
    quality: int  # edgenode.reading.Quality
    clock: int  # edgenode.reading.ClockSource

    @property
    def sensor(self) -> str:
        """The part of the channel before the last slash."""
        return self.channel.rpartition("/")[0]

    @property
    def quantity(self) -> str:
        """The part of the channel after the last slash."""
        return self.channel.rpartition("/")[2]


class Page(NamedTuple):
    """Whole batches in the order of their positions; hand `position` to `Outbox.commit`."""

    readings: list[Reading]
    position: int  # 0: there was nothing to read
    lost: int  # positions given up before this exporter had read them, at most


class Backlog(NamedTuple):
    """How far an exporter has come."""

    exporter: str
    position: int
    waiting: int  # batches


class Outbox:
    """The outbox as one exporter sees it. The name keeps its cursor across restarts."""

    def __init__(self, sink: Sink, exporter: str) -> None:
        if not _NAME.fullmatch(exporter):
            raise CityError(
                f"{exporter!r} is no name of an exporter: 1 to 63 of a-z, 0-9, '.', '_' and '-'"
            )
        self._sink = sink
        self._exporter = exporter

    def read(self, batches: int = PAGE) -> Page:
        """Return the readings behind the cursor, of at most so many batches; the cursor stays."""
        cursor = self._cursor()
        entries = self._sink.db.execute(
            "SELECT position, batch FROM outbox WHERE position > ? ORDER BY position LIMIT ?",
            (cursor or 0, batches),
        ).fetchall()
        if not entries:
            return Page([], 0, 0)
        found = self._sink.each(
            "SELECT node, spool, stream, ordinal, channel, unit, observed, kind, utc, err, value,"
            " quality, clock FROM reading WHERE batch = ? AND utc IS NOT NULL ORDER BY ordinal",
            [(batch,) for _, batch in entries],
        )
        readings = [
            Reading(position, *row)
            for (position, _), rows in zip(entries, found, strict=True)
            for row in rows
        ]
        lost = 0 if cursor is None else max(0, self._given_up() - cursor)
        return Page(readings, entries[-1][0], lost)

    def commit(self, position: int) -> None:
        """Move the cursor to the position of a page whose readings the other side has."""
        with self._sink.transaction():
            self._sink.db.execute(
                "INSERT INTO exporter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET"
                " position = excluded.position WHERE exporter.position < excluded.position",
                (self._exporter, position),
            )
            self._sink.db.execute(
                "DELETE FROM outbox WHERE position <= (SELECT min(position) FROM exporter)"
            )

    def forget(self) -> None:
        """Remove this exporter: nothing is kept for it any more."""
        with self._sink.transaction():
            self._sink.db.execute("DELETE FROM exporter WHERE name = ?", (self._exporter,))

    def _cursor(self) -> int | None:
        row = self._sink.db.execute(
            "SELECT position FROM exporter WHERE name = ?", (self._exporter,)
        ).fetchone()
        return None if row is None else int(row[0])

    def _given_up(self) -> int:
        row = self._sink.db.execute("SELECT value FROM meta WHERE name = 'given-up'").fetchone()
        return 0 if row is None else int(row[0])


def backlogs(sink: Sink) -> list[Backlog]:
    """Return how far each exporter has come."""
    rows = sink.db.execute(
        "SELECT name, position, (SELECT count(*) FROM outbox WHERE"
        " outbox.position > exporter.position) FROM exporter ORDER BY name"
    )
    return [Backlog(*row) for row in rows]


def tell(db: Database, batches: Sequence[int]) -> None:
    """Enter batches whose rows have a time; those that were entered before are left out.

    Only the receiver that derives calls this, so positions are in the order of commits.
    """
    for batch in batches:
        entered = db.execute(
            "INSERT INTO outbox (batch) SELECT id FROM raw WHERE id = ? AND told = 0"
            " RETURNING position",
            (batch,),
        ).fetchone()
        if entered is not None and entered[0] % PRUNE_EVERY == 0:
            _prune(db, entered[0] - MAX_BATCHES)
    db.executemany(
        "UPDATE raw SET told = 1 WHERE id = ? AND told = 0", [(batch,) for batch in batches]
    )


def _prune(db: Database, upto: int) -> None:
    """Give up what nobody has read for too long, and write down how far."""
    if db.execute("DELETE FROM outbox WHERE position <= ?", (upto,)).rowcount > 0:
        db.execute(
            "INSERT INTO meta VALUES ('given-up', ?) ON CONFLICT (name)"
            " DO UPDATE SET value = excluded.value",
            (str(upto),),
        )
