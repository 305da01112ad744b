"""Which readings of a stream did not arrive, and why: by their ordinals.

What is between 0 and the highest ordinal known and did not arrive is missing. A loss record
explains it; what the node still holds will come; the rest is unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edgenode.cityos.ranges import Range, minus, union
from edgenode.cityos.sink import Sink
from edgenode.wire import LossReason


class Held(NamedTuple):
    """One raw batch; `readings` is None before its birth is known."""

    seq: int
    r0: int
    readings: int | None
    work: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The account of one stream of one spool, as ranges of ordinals."""

    batches: list[Held]
    expected: int  # ordinals known to exist
    arrived: list[Range]  # of each batch, so what came twice is in it twice
    received: list[Range]
    lost: dict[str, list[Range]]  # reason -> missing, as loss records say, each ordinal once
    held: list[Range]  # missing, but in batches the node says it still holds
    unexplained: list[Range]


def shortfall(sink: Sink, node: bytes, spool: bytes, stream: int, floor: int) -> Shortfall:
    """Account for one stream; `floor` is the lowest seq the node still holds."""
    rows = sink.db.execute(
        "SELECT seq, r0, readings, work FROM raw WHERE node = ? AND spool = ? AND stream = ?"
        " ORDER BY seq",
        (node, spool, stream),
    )
    batches = [Held(*row) for row in rows]
    arrived = _arrived(batches)
    received = union(arrived)
    losses = _losses(sink, node, spool, stream)
    ends = [last + 1 for parts in (received, *losses.values()) for _, last in parts[-1:]]
    expected = max([batch.r0 for batch in batches] + ends)
    missing = minus([(0, expected - 1)], received)
    lost: dict[str, list[Range]] = {}
    for reason, parts in losses.items():
        left = minus(missing, parts)
        lost[reason] = minus(missing, left)
        missing = left
    unexplained = minus(missing, _held(batches, floor))
    held = minus(missing, unexplained)
    return Shortfall(batches, expected, arrived, received, lost, held, unexplained)


def _arrived(batches: list[Held]) -> list[Range]:
    """Return the ordinals of each batch; without its birth the next batch tells how many."""
    ranges = []
    for batch, after in zip(batches, [*batches[1:], None], strict=True):
        count = batch.readings
        if count is None:
            follows = after is not None and after.seq == batch.seq + 1
            count = max(0, after.r0 - batch.r0) if after is not None and follows else 0
        if count:
            ranges.append((batch.r0, batch.r0 + count - 1))
    return ranges


def _held(batches: list[Held], floor: int) -> list[Range]:
    """Return the ordinals of batches that have not arrived and that the node still holds."""
    ranges = []
    seq, end = 0, 0
    for batch in batches:
        if batch.seq - 1 >= max(floor, seq + 1):
            ranges.append((end, batch.r0 - 1))
        seq, end = batch.seq, batch.r0 + (batch.readings or 0)
    return ranges


def _losses(sink: Sink, node: bytes, spool: bytes, stream: int) -> dict[str, list[Range]]:
    parts: dict[str, list[Range]] = {}
    for reason, r0, count in sink.db.execute(
        "SELECT reason, r0, readings FROM loss WHERE node = ? AND spool = ? AND stream = ?"
        " ORDER BY reason",
        (node, spool, stream),
    ):
        parts.setdefault(_loss_name(reason), []).append((r0, r0 + count - 1))
    return {reason: union(ranges) for reason, ranges in parts.items()}


def _loss_name(reason: int) -> str:
    known = {code.value: code.name.lower().replace("_", "-") for code in LossReason}
    return known.get(reason, f"reason-{reason}")
