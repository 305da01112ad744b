"""The log of truth beside the database: what a sender sent, joined row by row in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.cityos.unfold import unfold
from edgenode.wire import Batch, Birth, decode

_ROWS = "SELECT node, spool, stream, seq, ordinal, mono, channel, value, quality FROM"


def readings_of(messages: Iterable[Incoming], birth: Birth) -> list[tuple[Any, ...]]:
    """Return one row for each reading in the batches of a birth."""
    rows: list[tuple[Any, ...]] = []
    for message in messages:
        batch = decode(message.payload)
        if isinstance(batch, Batch):
            rows += [
                (batch.node, batch.spool, batch.stream, batch.seq, c.first + i * c.step, mono,
                 c.channel.name, c.values[i], c.qualities[i])
                for c in unfold(batch, birth)[0] for i, mono in enumerate(c.times)
            ]  # fmt: skip
    return rows


def differences(sink: Sink, truth: Sequence[tuple[Any, ...]]) -> tuple[int, int, int]:
    """Return how many readings are missing, invented, and there more than once."""
    sink.db.execute(
        "CREATE TEMPORARY TABLE truth (node BYTEA, spool BYTEA, stream INTEGER, seq BIGINT,"
        " ordinal BIGINT, mono BIGINT, channel TEXT, value DOUBLE PRECISION, quality INTEGER)"
    )
    sink.db.executemany("INSERT INTO truth VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", truth)
    missing, invented, doubled = (
        len(sink.db.execute(question).fetchall())
        for question in (
            f"{_ROWS} truth EXCEPT {_ROWS} reading",
            f"{_ROWS} reading EXCEPT {_ROWS} truth",
            "SELECT 1 FROM reading GROUP BY node, spool, stream, ordinal HAVING count(*) > 1",
        )
    )
    sink.db.execute("DROP TABLE truth")
    return missing, invented, doubled
