"""What the daemon left on its disk, against what the instruments said: evidence for an account."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from edgenode.clock import SystemClock
from edgenode.config import load
from edgenode.demo.evidence import Evidence, Numbered, Row, read_truth
from edgenode.node import parts, sensors
from edgenode.reading import Quality
from edgenode.spool import Sealed, Spool
from edgenode.wire import Batch, Birth, Rows, decode, expand, unscaled
from tests.support.daemons import NODE, Place

NO_NUMBER = frozenset({Quality.FAULT, Quality.MISSING})


def evidence(place: Place, kills: Sequence[int], grace_ms: int, tolerance_ms: int = 90) -> Evidence:
    """Read every batch by its own birth, so that a configuration may have changed meanwhile."""
    config = load(place.config)
    options = parts.spool_options(config)
    node, groups = bytes.fromhex(NODE), sensors.groups(config)
    spool = Spool.open(options, node, groups, SystemClock(1000))
    rows: list[Row] = []
    events: list[Numbered] = []
    steps: dict[str, float] = {}
    for sealed, batch, birth in _batches(spool):
        of_batch = list(_rows(sealed, batch, birth))
        rows += of_batch
        events += [
            Numbered(batch.spool, sealed.stream, sealed.seq, batch.r0 + len(of_batch) + n)
            for n, _ in enumerate(batch.events)
        ]
        steps |= {c.name: 10.0**c.scale for channels in birth.groups.values() for c in channels}
    spool.close()
    return Evidence(
        said=list(read_truth(place.truth)),
        rows=rows,
        events=events,
        losses=[],
        kills=kills,
        grace_ms=grace_ms,
        tolerance_ms=tolerance_ms,
        steps=steps,
        counters=frozenset({"loop/count"}),
        derived=frozenset({"loop/unread"}),
    )


def readings_left(file: Path) -> list[tuple[str, int, float | None]]:
    """Channel, boot-time ms and value of everything that the state directory of a node holds.

    What a power cut left is sealed by one opening, and only the next one may send it.
    """
    config = load(file)
    node, groups = bytes.fromhex(config.node.id), sensors.groups(config)
    Spool.open(parts.spool_options(config), node, groups, SystemClock(1000)).close()
    spool = Spool.open(parts.spool_options(config), node, groups, SystemClock(1000))
    rows = [row for taken in _batches(spool) for row in _rows(*taken)]
    spool.close()
    return [(row.channel, row.mono, row.value) for row in rows]


def told(place: Place) -> list[int]:
    """The codes of all events that the daemon left on its disk, stream by stream in their order."""
    config = load(place.config)
    spool = Spool.open(
        parts.spool_options(config), bytes.fromhex(NODE), sensors.groups(config), SystemClock(1000)
    )
    codes = [int(event.code) for _, batch, _ in _batches(spool) for event in batch.events]
    spool.close()
    return codes


def _batches(spool: Spool) -> Iterator[tuple[Sealed, Batch, Birth]]:
    spool.outbox.begin_session()
    while taken := spool.outbox.take(live=False, limit=64):
        for sealed in taken:
            birth, batch = decode(spool.outbox.birth(sealed.schema) or b""), decode(sealed.data)
            assert isinstance(birth, Birth)
            assert isinstance(batch, Batch)
            assert not batch.losses, "nothing was lost on the disk"
            yield sealed, expand(batch, birth), birth


def _rows(sealed: Sealed, batch: Batch, birth: Birth) -> Iterator[Row]:
    """Number the readings of a batch: group by group, row by row, channel by channel."""
    ordinal = itertools.count(batch.r0)
    for group in batch.groups:
        assert isinstance(group, Rows)
        for n, t_ms in enumerate(group.times):
            for at, channel in enumerate(birth.groups[group.gid]):
                column = group.columns[at]
                if column is not None:
                    number = unscaled(int(column[n]), channel.scale)
                    value = None if _flagged(group, at, n) else number
                    place = (batch.spool, sealed.stream, sealed.seq, next(ordinal))
                    yield Row(*place, channel.name, t_ms, value)


def _flagged(group: Rows, column: int, row: int) -> bool:
    return any(
        flag.col in {column, 255}
        and flag.start <= row < flag.start + flag.length
        and flag.quality in NO_NUMBER
        for flag in group.flags
    )
