"""What a city can say about a node: what arrived, what did not and why, how late, how well timed.

Readings are accounted by their ordinals: what is between 0 and the highest one known and did not
arrive is missing. A loss record explains it; what the node still holds will come; the rest is
unexplained, and then something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from edgenode.cityos import durable, wording
from edgenode.cityos.ranges import Range, minus, size, union
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.wire import LossReason

SHOWN = 20  # ranges and alarms told in full


class Latency(NamedTuple):
    """Arrival minus the time of a batch's last reading, ms, over batches whose time is known."""

    batches: int
    least: int
    median: int
    p95: int
    most: int


class ClockShare(NamedTuple):
    """How many stamps one kind of clock vouches for, and the largest error stated, ms."""

    stamps: int
    err_most: int | None


@dataclass(frozen=True, slots=True)
class StreamAudit:
    """The account of one stream of one spool; all but `batches` count readings."""

    spool: bytes
    stream: int
    batches: int
    received: int
    expected: int  # ordinals known to exist
    lost: dict[str, int]  # reason -> how many, as the node's loss records say
    held: int  # missing, but in batches the node says it still holds
    unexplained: int
    unexplained_ranges: tuple[Range, ...]  # of ordinals, the first of them
    repeated: int  # ordinals that came in more than one batch
    waiting: int  # batches whose birth is not known
    faulty: int  # batches that are durable but contradict their birth


@dataclass(frozen=True, slots=True)
class Audit:
    """All that is known of one node."""

    node: bytes
    presence: str
    last_seen: int
    streams: tuple[StreamAudit, ...]
    duplicates: int  # messages that came again, byte by byte the same
    conflicts: int  # messages that came again with other bytes
    refused: int  # messages that were not accepted
    latency: Latency | None
    clocks: dict[str, ClockShare] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()  # the newest last

    @property
    def well(self) -> bool:
        """Tell whether everything is accounted for and nothing contradicts itself."""
        return not (
            self.conflicts or any(s.unexplained or s.repeated or s.faulty for s in self.streams)
        )


def audit(sink: Sink, node: bytes) -> Audit:
    """Account for one node, from the sink alone."""
    counters = sink.counters(node)
    presence = sink.presence(node)
    return Audit(
        node=node,
        presence=presence.state,
        last_seen=presence.last_seen,
        streams=tuple(
            _stream(sink, node, spool, stream, floor)
            for spool in sink.spools(node)
            for stream, floor in durable.streams(sink.db, node, spool).items()
        ),
        duplicates=counters.get("duplicate", 0),
        conflicts=counters.get("conflict", 0),
        refused=counters.get("refused", 0),
        latency=_latency(sink, node),
        clocks=_clocks(sink, node),
        alarms=_alarms(sink, node),
    )


class _Batch(NamedTuple):
    seq: int
    r0: int
    readings: int | None  # None before the birth is known
    work: int


def _stream(sink: Sink, node: bytes, spool: bytes, stream: int, floor: int) -> StreamAudit:
    rows = sink.db.execute(
        "SELECT seq, r0, readings, work FROM raw WHERE node = ? AND spool = ? AND stream = ?"
        " ORDER BY seq",
        (node, spool, stream),
    )
    batches = [_Batch(*row) for row in rows]
    arrived = _arrived(batches)
    received = union(arrived)
    losses = _losses(sink, node, spool, stream)
    ends = [last + 1 for parts in (received, *losses.values()) for _, last in parts[-1:]]
    expected = max([batch.r0 for batch in batches] + ends)
    missing = minus([(0, expected - 1)], received)
    lost: dict[str, int] = {}
    for reason, parts in losses.items():
        left = minus(missing, parts)
        lost[reason] = size(missing) - size(left)
        missing = left
    unexplained = minus(missing, _held(batches, floor))
    return StreamAudit(
        spool=spool,
        stream=stream,
        batches=len(batches),
        received=size(received),
        expected=expected,
        lost=lost,
        held=size(missing) - size(unexplained),
        unexplained=size(unexplained),
        unexplained_ranges=tuple(unexplained[:SHOWN]),
        repeated=sum(last - first + 1 for first, last in arrived) - size(received),
        waiting=sum(batch.work == Work.WAITING for batch in batches),
        faulty=sum(batch.work == Work.FAULTY for batch in batches),
    )


def _arrived(batches: list[_Batch]) -> list[Range]:
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


def _held(batches: list[_Batch], floor: int) -> list[Range]:
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


def _latency(sink: Sink, node: bytes) -> Latency | None:
    late = sink.rows.latencies(node)
    if not late:
        return None
    top = len(late) - 1
    return Latency(len(late), late[0], late[top // 2], late[top * 95 // 100], late[-1])


def _clocks(sink: Sink, node: bytes) -> dict[str, ClockShare]:
    return {
        wording.clock(code): ClockShare(stamps, err) for code, stamps, err in sink.rows.clocks(node)
    }


def _alarms(sink: Sink, node: bytes) -> tuple[str, ...]:
    rows = sink.db.execute(
        "SELECT kind, detail FROM alarm WHERE node = ? ORDER BY id DESC LIMIT ?", (node, SHOWN)
    )
    return tuple(f"{kind}: {detail}" for kind, detail in reversed(rows.fetchall()))
