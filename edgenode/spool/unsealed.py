"""Rows that the journal holds, or is about to, and no sealed batch does: runs of each stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from edgenode.spool.model import STREAMS
from edgenode.spool.rows import Payload, Row, Segment
from edgenode.spool.window import cost_of
from edgenode.wire import MAX_WORK, Loss, LossReason

SEAL_BYTES = 192 << 10  # of rows: packed they are smaller, and 256 KiB is the wire's limit


class Run:
    """Rows of one stream, epoch and schema whose ordinals have no gap."""

    def __init__(self, segment: Segment, epoch: int, schema: bytes, born: int) -> None:
        self.stream = segment.stream
        self.epoch = epoch
        self.schema = schema
        self.r0 = segment.r0
        self.born = born  # boot-time ms of the commit that began it
        self.rows: deque[Row] = deque()
        self.readings = 0
        self.size = 0
        self.extend(segment)

    @property
    def end(self) -> int:
        """The ordinal behind the last row."""
        return self.r0 + self.readings

    def extend(self, segment: Segment) -> None:
        self.rows.extend(segment.rows)
        self.readings += segment.end - segment.r0
        self.size += sum(len(row.data) for row in segment.rows)

    def full(self) -> bool:
        """Tell whether one batch might not hold much more."""
        return self.readings >= MAX_WORK * 7 // 8 or self.size >= SEAL_BYTES

    def prefix(self) -> tuple[Row, ...]:
        """Return the rows that one batch can hold."""
        rows: list[Row] = []
        readings = size = 0
        for row in self.rows:
            readings += row.readings
            size += len(row.data)
            if rows and (readings > MAX_WORK or size > SEAL_BYTES):
                break
            rows.append(row)
        return tuple(rows)

    def drop(self, count: int) -> int:
        """Forget the first `count` rows, which are sealed; return the memory they took."""
        gone = [self.rows.popleft() for _ in range(count)]
        readings = sum(row.readings for row in gone)
        self.r0 += readings
        self.readings -= readings
        self.size -= sum(len(row.data) for row in gone)
        return cost_of(gone)


class _Place(NamedTuple):
    """Where in the journal a commit begins, and the ordinals behind its rows by stream."""

    block: int
    ends: dict[int, int]


class Unsealed:
    """The runs of a spool, and where in the journal their oldest row stands."""

    def __init__(self, ordinals: list[int]) -> None:
        self.runs: dict[int, deque[Run]] = {stream: deque() for stream in STREAMS}
        self.ends = ordinals
        self.losses: list[Loss] = []
        self._places: deque[_Place] = deque()

    def add(self, payload: Payload, born: int) -> None:
        """Append the rows of a commit; rows that are here already are skipped.

        What is missing before them was dropped on purpose as far as their gap tells, and else
        was in a commit that can no longer be read.
        """
        for segment in payload.segments:
            fresh = _behind(segment, self.ends[segment.stream])
            if fresh is None:
                continue
            self._note_losses(fresh)
            self.ends[fresh.stream] = fresh.end
            runs = self.runs[fresh.stream]
            last = runs[-1] if runs else None
            if not fresh.rows:
                continue
            if last and (last.epoch, last.schema, last.end) == (*payload[:2], fresh.r0):
                last.extend(fresh)
            else:
                runs.append(Run(fresh, payload.epoch, payload.schema, born))

    def _note_losses(self, segment: Segment) -> None:
        stream, end = segment.stream, self.ends[segment.stream]
        dropped = min(segment.gap, segment.r0 - end)
        vanished = segment.r0 - dropped - end
        if vanished > 0:
            self.losses.append(Loss(stream, end, vanished, LossReason.CORRUPT, 0, 0))
        if dropped > 0:
            first = segment.r0 - dropped
            self.losses.append(Loss(stream, first, dropped, LossReason.RING_OVERFLOW, 0, 0))

    def skip_to(self, stream: int, ordinal: int) -> None:
        """Count what lies between the last row and `ordinal` as lost."""
        self._note_losses(Segment(stream, 0, max(ordinal, self.ends[stream]), ()))
        self.ends[stream] = max(ordinal, self.ends[stream])

    def placed(self, block: int, payload: Payload) -> None:
        """Note that a commit of the journal, from `block` on, holds these rows."""
        ends = {segment.stream: segment.end for segment in payload.segments if segment.rows}
        if ends:
            self._places.append(_Place(block, ends))

    def oldest_block(self) -> int | None:
        """Return the first block that must not be rewritten; None when all is sealed."""
        while self._places and all(
            end <= self.sealed_to(stream) for stream, end in self._places[0].ends.items()
        ):
            self._places.popleft()
        return self._places[0].block if self._places else None

    def sealed_to(self, stream: int) -> int:
        """Return the ordinal up to which nothing waits to be sealed, or entered as lost."""
        runs = self.runs[stream]
        first = runs[0].r0 if runs else self.ends[stream]
        return min([first, *(loss.r0 for loss in self.losses if loss.stream == stream)])

    def dropped(self, run: Run, count: int) -> int:
        """Forget the first rows of the front run of its stream; return their memory."""
        cost = run.drop(count)
        if not run.rows:
            self.runs[run.stream].popleft()
        return cost

    def readings(self) -> int:
        """Return how many readings wait to be sealed."""
        return sum(run.readings for run in self)

    def __iter__(self) -> Iterator[Run]:
        return (run for runs in self.runs.values() for run in runs)


def _behind(segment: Segment, end: int) -> Segment | None:
    """Return what of the segment lies behind ordinal `end`; None when nothing does."""
    if segment.r0 >= end:
        return segment
    rows, r0 = list(segment.rows), segment.r0
    while rows and r0 < end:
        r0 += rows.pop(0).readings
    return Segment(segment.stream, 0, r0, tuple(rows)) if rows else None
