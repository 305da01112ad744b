"""What a sink asks of its database, and where derived rows are kept: the same for both makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from edgenode.cityos.timing import Span, Time
from edgenode.cityos.unfold import Column, Happening
from edgenode.errors import CityError

URLS = ("postgresql://", "postgres://")

Boot = tuple[bytes, bytes, int]  # node, spool, epoch
# A statement and parameters, once for each row of the answer: `Sink.each`.
Each = Callable[[str, Sequence[Sequence[Any]]], list[list[Any]]]


def is_url(where: Path | str) -> bool:
    """Tell whether a sink is named by the URL of a PostgreSQL database and not by a file."""
    return isinstance(where, str) and where.startswith(URLS)


class SinkAway(CityError):
    """The database went away or gave a transaction up: the same again may well succeed."""


class Cursor(Protocol):
    """The rows of one statement."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """What both databases understand: SQL of their common part, `?` for each parameter."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor: ...
    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any: ...


class Derived(NamedTuple):
    """All rows of one raw batch: `times` says when each boot-time in it was."""

    batch: int  # raw.id
    columns: list[Column]
    events: list[Happening]
    channels: dict[tuple[int, int], int]  # (gid, place) -> channel.id
    times: dict[int, Time]


class Stamp(NamedTuple):
    """One raw batch: POSIX ms of its arrival, its bytes, and the time of its last row.

    `utc` is None where nothing vouches; `err` ms and `clock` belong to it.
    """

    arrival: int
    size: int
    utc: int | None
    err: int | None
    clock: int | None


class Latest(NamedTuple):
    """The newest event of one kind at one spool: `order` is its boot, its time and its ordinal."""

    node: bytes
    spool: bytes
    channel: str | None
    code: int
    which: str | None  # what parts events of one code
    order: tuple[int, int, int]
    batch: int


class RowStore(Protocol):
    """Where derived rows are kept; always inside the caller's transaction."""

    def add(self, derived: Sequence[Derived]) -> None:
        """Store the rows of batches that have none."""

    def monos(self, batch: int) -> list[int]:
        """Return the boot-times that occur in a batch, each once."""

    def retime(self, batch: int, times: dict[int, Time]) -> None:
        """Give the rows of a batch other times."""

    def bound(self, boot: Boot, span: Span) -> None:
        """Say between which moments the rows of a boot lie that nothing vouches for."""

    def forget(self, node: bytes) -> None:
        """Remove all rows of a node."""

    def latencies(self, node: bytes) -> list[int]:
        """Return arrival minus the time of its last row, ms, of each timed batch, ascending."""

    def clocks(self, node: bytes) -> list[tuple[int, int, int | None]]:
        """Return (clock source, stamps it vouches for, largest error stated in ms)."""

    def latest(self, which: str) -> Iterator[Latest]:
        """Yield the newest event of each kind at each spool, but for those of single readings.

        `which` is SQL over an occurrence `o` that parts the events of one channel and code.
        """

    def stamps(self, node: bytes, first: int) -> Iterator[Stamp]:
        """Yield one stamp for each batch of a node from raw.id `first` on, in that order."""
