"""A node reduced to the messages it would send: numbered rightly, stamped as it is told."""

from __future__ import annotations

from collections.abc import Sequence

from edgenode.cityos.intake import Incoming
from edgenode.reading import Anchor, Channel
from edgenode.wire import (
    Batch,
    Birth,
    Flag,
    Loss,
    Previous,
    Rows,
    State,
    WireEvent,
    encode,
    schema_of,
)

NODE = bytes.fromhex("a1b2c3d4e5f6")
PREFIX = "edgenode/v1"
ARRIVAL = 1_795_000_000_000
GROUPS = {
    7: (Channel("air/temperature", "Cel", -2), Channel("air/humidity", "%RH", -1)),
    9: (Channel("rain/depth", "mm", 0),),
}


class Sender:
    """Makes the messages of one spool of one node; ordinals and seqs go on by themselves."""

    def __init__(
        self, node: bytes = bytes.fromhex("a1b2c3d4e5f6"), spool: bytes = b"spool--1"
    ) -> None:
        self.node = node
        self.spool = spool
        self.birth = Birth(node, GROUPS)
        self.schema = schema_of(GROUPS)
        self.base = f"{PREFIX}/{node.hex()}"
        self._seqs: dict[int, int] = {}
        self._ordinals: dict[int, int] = {}

    def birth_message(self, *, retained: bool = False) -> Incoming:
        topic = f"{self.base}/birth/{self.schema.hex()}"
        return Incoming(topic, encode(self.birth), ARRIVAL, retained)

    def state_message(
        self, epoch: int, connect_ms: int, *, online: bool, arrival: int = ARRIVAL
    ) -> Incoming:
        state = State(self.node, self.spool, online, epoch, connect_ms)
        return Incoming(f"{self.base}/state", encode(state), arrival)

    def skip(self, readings: int, batches: int = 1, stream: int = 0) -> None:
        """Leave out what never arrives: `batches` batches with `readings` readings in all."""
        self._seqs[stream] = self._seqs.get(stream, 0) + batches
        self._ordinals[stream] = self._ordinals.get(stream, 0) + readings

    def batch(
        self,
        times: Sequence[int] = (1_000, 2_000, 3_000),
        *,
        epoch: int = 3,
        stream: int = 0,
        anchors: Sequence[Anchor] = (),
        events: Sequence[WireEvent] = (),
        losses: Sequence[Loss] = (),
        flags: Sequence[Flag] = (),
        held: int | None = 1,
        previous: Previous | None = None,
        arrival: int = ARRIVAL,
    ) -> Incoming:
        """Make the next batch: two readings for each time (none where `times` is empty)."""
        seq = self._seqs.get(stream, 0) + 1
        r0 = self._ordinals.get(stream, 0)
        columns = ([2_000 + t % 100 for t in times], [500 + t % 7 for t in times])
        rows = (Rows(7, 0, tuple(times), columns, tuple(flags)),) if times else ()
        stamps = [*times, *(event.t for event in events)]
        batch = Batch(
            self.node, epoch, seq, r0, self.schema, min(stamps, default=0), self.spool,
            anchors=tuple(sorted(anchors)), groups=rows, events=tuple(events), stream=stream,
            losses=tuple(losses), held=held, previous=previous,
        )  # fmt: skip
        self._seqs[stream] = seq
        self._ordinals[stream] = r0 + 2 * len(times) + len(events)
        return Incoming(f"{self.base}/batch/{stream}", encode(batch, self.birth), arrival)
