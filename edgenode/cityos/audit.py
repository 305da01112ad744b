"""What a city can say about a node: what arrived, what did not and why, how late, how well timed.

Readings are accounted by their ordinals; where any of them is unexplained, something is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from edgenode.cityos import durable, wording
from edgenode.cityos.operate.continuity import Continuity, Succession
from edgenode.cityos.ranges import Range, size
from edgenode.cityos.schema import Work
from edgenode.cityos.shortfall import shortfall
from edgenode.cityos.sink import Sink

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
    successions: tuple[Succession, ...] = ()  # that name it

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
        successions=tuple(Continuity.of(sink).about(node)),
    )


def _stream(sink: Sink, node: bytes, spool: bytes, stream: int, floor: int) -> StreamAudit:
    told = shortfall(sink, node, spool, stream, floor)
    return StreamAudit(
        spool=spool,
        stream=stream,
        batches=len(told.batches),
        received=size(told.received),
        expected=told.expected,
        lost={reason: size(parts) for reason, parts in told.lost.items()},
        held=size(told.held),
        unexplained=size(told.unexplained),
        unexplained_ranges=tuple(told.unexplained[:SHOWN]),
        repeated=sum(last - first + 1 for first, last in told.arrived) - size(told.received),
        waiting=sum(batch.work == Work.WAITING for batch in told.batches),
        faulty=sum(batch.work == Work.FAULTY for batch in told.batches),
    )


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
