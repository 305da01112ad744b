"""The sink: what a city received, and the questions that are asked about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Self

from edgenode.cityos import durable
from edgenode.cityos.store import Database, RowStore, is_url
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


class Sink(ABC):
    """The city's durable store: one interface, in SQLite or in PostgreSQL.

    A sink belongs to one thread. Its questions are SQL of the part that both databases share; what
    differs (connections, bulk, locks between receivers) is in the two subclasses.
    """

    db: Database
    rows: RowStore
    name: str  # where it is, without any secret

    @staticmethod
    def open(where: Path | str, *, readonly: bool = False, password: str | None = None) -> Sink:
        """Open or make a sink: a file of SQLite, or the database of a postgresql:// URL.

        Raises CityError with what to do when it cannot serve.
        """
        if is_url(where):
            try:
                from edgenode.cityos.postgres import PostgresSink  # noqa: PLC0415 - an extra
            except ImportError as exc:
                raise CityError(
                    f"PostgreSQL needs psycopg ({exc}): pip install 'edgenode[cityos]'"
                ) from exc
            return PostgresSink.connect(str(where), readonly=readonly, password=password)
        from edgenode.cityos.sqlite import SqliteSink  # noqa: PLC0415 - it knows this module

        return SqliteSink.connect(Path(where), readonly=readonly)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    @abstractmethod
    def transaction(self, *, frozen: bool = False) -> AbstractContextManager[None]:
        """All or nothing, durable on leaving; raises CityError when it cannot be written.

        SinkAway where it is worth trying again; whether it was committed is not known then. With
        `frozen`, all statements see what was there at the first.
        """

    @abstractmethod
    def each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Run one statement for each row of parameters; return what each of them gave."""

    @abstractmethod
    def stream(self, sql: str, parameters: Sequence[Any]) -> Iterator[Any]:
        """Yield the rows of a question without holding them all in memory."""

    @abstractmethod
    def client_id(self) -> str:
        """Return the MQTT client id of this receiver's persistent session, kept in the sink."""

    @abstractmethod
    def lead(self) -> bool:
        """Tell whether this receiver is the one that derives rows."""

    @property
    @abstractmethod
    def term(self) -> int:
        """Count how often this receiver began to lead: what it remembered before is void."""

    # What happened to messages: inside the caller's transaction.

    def count(self, node: bytes, name: str, n: int = 1) -> None:
        self.db.execute(
            "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT (node, name)"
            " DO UPDATE SET n = counter.n + excluded.n",
            (node, name, n),
        )

    def alarm(self, arrival: int, node: bytes, kind: str, detail: str) -> None:
        """Remember something that a person should look at; count it besides."""
        (newest,) = self.db.execute(
            "INSERT INTO alarm (arrival, node, kind, detail) VALUES (?, ?, ?, ?) RETURNING id",
            (arrival, node, kind, detail),
        ).fetchone()
        if newest % PRUNE_EVERY == 0:
            self.db.execute("DELETE FROM alarm WHERE id <= ?", (newest - MAX_ALARMS,))

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
        return self.abouts([node])[0]

    def abouts(self, nodes: Sequence[bytes]) -> list[bytes | None]:
        """Return the same of each of many nodes, in one round trip."""
        found = self.each("SELECT bytes FROM about WHERE node = ?", [(node,) for node in nodes])
        return [bytes(rows[0][0]) if rows else None for rows in found]

    def anchors(self, node: bytes, spool: bytes, epoch: int) -> list[Anchor]:
        """Return all anchors received of one boot."""
        rows = self.db.execute(
            "SELECT mono, utc, source, err FROM anchor WHERE node = ? AND spool = ? AND epoch = ?",
            (node, spool, epoch),
        )
        return [Anchor(*row) for row in rows]

    def presence(self, node: bytes) -> Presence:
        """Return the node's state, as the spool in use told it last, unless it is silent."""
        return self.presences([node])[0]

    def presences(self, nodes: Sequence[bytes]) -> list[Presence]:
        """Return the same of each of many nodes, in two round trips."""
        seen = self.each(
            "SELECT last_seen, silent FROM node WHERE node = ?", [(node,) for node in nodes]
        )
        online = durable.online(self.each, nodes)
        return [
            _presence(*(rows[0] if rows else (0, 0)), online=told)
            for rows, told in zip(seen, online, strict=True)
        ]

    def readings(self, node: bytes) -> Iterator[ReadingRow]:
        """Yield all readings whose birth is known, by spool, stream and ordinal."""
        yield from map(ReadingRow._make, self.stream(
            "SELECT spool, stream, seq, ordinal, epoch, mono, channel, value, quality, utc, err,"
            " earliest, latest, clock, unit FROM reading WHERE node = ?"
            " ORDER BY spool, stream, seq, ordinal",
            (node,),
        ))  # fmt: skip

    def events(self, node: bytes) -> Iterator[EventRow]:
        """Yield all events whose birth is known, by spool, stream and ordinal."""
        yield from map(EventRow._make, self.stream(
            "SELECT spool, stream, seq, ordinal, epoch, mono, channel, code, value, quality, utc,"
            " err, earliest, latest, clock FROM event WHERE node = ?"
            " ORDER BY spool, stream, seq, ordinal",
            (node,),
        ))  # fmt: skip


def _presence(last_seen: int, silent: int, *, online: bool | None) -> Presence:
    if online is None:
        return Presence("silent" if silent else "unknown", last_seen)
    if not online:
        return Presence("offline", last_seen)
    return Presence("silent" if silent else "online", last_seen)
