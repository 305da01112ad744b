"""What did not arrive, from when to when, and why: shortfalls with the times around them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edgenode.cityos import durable
from edgenode.cityos.operate.window import Window
from edgenode.cityos.ranges import Range
from edgenode.cityos.shortfall import Held, Shortfall, shortfall
from edgenode.cityos.sink import Sink
from edgenode.reading import Stream

MOST = 500  # of one report, the largest
HELD, UNEXPLAINED = "held", "unexplained"  # beside the reasons of loss records


class Gap(NamedTuple):
    """Readings (of stream 1: events) that are missing; times are those of their neighbours."""

    reason: str
    node: bytes
    stream: int
    readings: int
    start: int | None  # POSIX ms, None where it is not known
    end: int | None


def gaps(sink: Sink, nodes: Sequence[bytes], window: Window) -> list[Gap]:
    """Return the gaps that lie in the window or whose time is unknown, in the order of time."""
    found = [
        gap
        for node in nodes
        for spool in sink.spools(node)
        for stream, floor in durable.streams(sink.db, node, spool).items()
        for gap in _of_stream(sink, node, spool, stream, floor)
    ]
    inside = [gap for gap in found if _touches(gap, window)]
    inside.sort(key=lambda gap: -gap.readings)
    return sorted(inside[:MOST], key=lambda gap: (gap.start or gap.end or 0, gap.reason))


def _touches(gap: Gap, window: Window) -> bool:
    late = gap.start is not None and gap.start >= window.end
    early = gap.end is not None and gap.end < window.start
    return not (late or early)


def _of_stream(sink: Sink, node: bytes, spool: bytes, stream: int, floor: int) -> Iterator[Gap]:
    told = shortfall(sink, node, spool, stream, floor)
    ranges = _ranges(told)
    ranges.sort(key=lambda one: one[1][0] - one[1][1])
    ranges = ranges[:MOST]
    filled = [batch for batch in told.batches if batch.readings]
    starts = [batch.r0 for batch in filled]
    edges = [_around(filled, starts, part) for _, part in ranges]
    table = "event" if stream == Stream.EVENTS else "reading"
    befores = _times(sink, "max", table, (node, spool, stream), [edge[0] for edge in edges])
    afters = _times(sink, "min", table, (node, spool, stream), [edge[1] for edge in edges])
    for (reason, (first, last)), start, end in zip(ranges, befores, afters, strict=True):
        yield Gap(reason, node, stream, last - first + 1, start, end)


def _ranges(told: Shortfall) -> list[tuple[str, Range]]:
    lost = [(reason, part) for reason, parts in told.lost.items() for part in parts]
    held = [(HELD, part) for part in told.held]
    return lost + held + [(UNEXPLAINED, part) for part in told.unexplained]


def _around(filled: list[Held], starts: list[int], part: Range) -> tuple[int | None, int | None]:
    """Return the seqs of the batches before and behind a range of ordinals."""
    i = bisect_left(starts, part[0])
    before = filled[i - 1].seq if i else None
    return before, filled[i].seq if i < len(filled) else None


def _times(
    sink: Sink, edge: str, table: str, key: tuple[bytes, bytes, int], seqs: list[int | None]
) -> list[int | None]:
    """Return POSIX ms of the first or last row of some batches; None where it has none."""
    rows = sink.each(
        f"SELECT {edge}(utc) FROM {table} WHERE batch = (SELECT id FROM raw WHERE node = ?"  # noqa: S608 - our own names
        " AND spool = ? AND stream = ? AND seq = ?)",
        [(*key, -1 if seq is None else seq) for seq in seqs],
    )
    return [utc for ((utc,),) in rows]
