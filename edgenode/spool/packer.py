"""From a run of rows to the batches that the store keeps: seq, ordinals, what else rides along."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgenode.errors import WireError
from edgenode.reading import Stream
from edgenode.spool.births import Births
from edgenode.spool.ledger import Ledger
from edgenode.spool.model import Identity
from edgenode.spool.rows import Row
from edgenode.spool.sealer import Contents, contents, is_alarm
from edgenode.spool.store import StoredBatch, batch_id
from edgenode.spool.times import Times
from edgenode.spool.unsealed import Run
from edgenode.wire import Batch, Birth, Loss, LossReason, encode

MAX_PARTS = 30_000  # flags and events of a batch: a decoder bounds what it has to look at


@dataclass
class Draft:
    """A transaction in the making: the next seqs, which packing moves on, and the losses."""

    seqs: dict[int, int]
    lowest: Mapping[int, int]  # seq held by stream; the next one where none is
    ledger: Ledger


@dataclass(frozen=True)
class _Origin:
    """What the batches of one run share."""

    stream: int
    epoch: int
    schema: bytes
    alarm: int = 0


class Packer:
    """Makes the batches of one spool."""

    def __init__(self, identity: Identity, births: Births, times: Times) -> None:
        self._me = identity
        self._births = births
        self._times = times

    def pack(self, run: Run, rows: Sequence[Row], draft: Draft) -> list[StoredBatch]:
        """Return the batches of `rows`, the front of `run`; alarms are in batches of their own.

        Rows that cannot be sealed, because their birth is lost or no message can hold them,
        become a loss.
        """
        birth = self._births.decoded(run.schema)
        r0, batches = run.r0, list[StoredBatch]()
        for part, alarm in _apart(run.stream, rows):
            origin = _Origin(run.stream, run.epoch, run.schema, alarm)
            batches += self._pieces(part, r0, origin, birth, draft)
            r0 += sum(row.readings for row in part)
        return batches

    def empty(self, stream: int, r0: int, draft: Draft) -> StoredBatch:
        """Return a batch without readings, for losses that no other batch would carry soon."""
        origin = _Origin(stream, self._me.epoch, self._me.schema)
        return self._stored(origin, Contents(0, (), (), 0, 0), r0, None, draft)

    def _pieces(
        self, rows: Sequence[Row], r0: int, origin: _Origin, birth: Birth | None, draft: Draft
    ) -> Iterator[StoredBatch]:
        """Halve until a message holds it: only encoding tells, rows pack so differently."""
        todo = deque([rows])
        while todo:
            rows = todo.popleft()
            count = sum(row.readings for row in rows)
            try:
                yield self._fitting(rows, r0, origin, birth, draft)
            except WireError:
                if len(rows) > 1 and birth is not None:
                    todo.extendleft((rows[len(rows) // 2 :], rows[: len(rows) // 2]))
                    continue
                draft.ledger.add(Loss(origin.stream, r0, count, LossReason.CORRUPT, 0, 0))
            r0 += count

    def _fitting(
        self, rows: Sequence[Row], r0: int, origin: _Origin, birth: Birth | None, draft: Draft
    ) -> StoredBatch:
        if birth is None:
            raise WireError(f"the birth of schema {origin.schema.hex()} is lost")
        made = contents(rows, birth.groups)
        parts = len(made.events) + sum(len(group.flags) for group in made.groups)
        if parts > MAX_PARTS and len(rows) > 1:
            raise WireError(f"{parts} flags and events are too many for one batch")
        return self._stored(origin, made, r0, birth, draft)

    def _stored(
        self, origin: _Origin, made: Contents, r0: int, birth: Birth | None, draft: Draft
    ) -> StoredBatch:
        stream, seq = origin.stream, draft.seqs[origin.stream]
        anchors, previous = self._times.carry(origin.epoch, stream, seq)
        batch = Batch(
            node=self._me.node,
            epoch=origin.epoch,
            seq=seq,
            r0=r0,
            schema=origin.schema,
            tb=made.tb,
            spool=self._me.spool,
            anchors=anchors,
            groups=made.groups,
            events=made.events,
            stream=stream,
            privacy=made.privacy,
            losses=draft.ledger.carry(stream, seq),
            held=draft.lowest[stream],
            previous=previous,
        )
        data = encode(batch, birth)
        draft.seqs[stream] += 1
        return StoredBatch(
            batch_id(stream, seq),
            origin.epoch,
            origin.schema,
            r0,
            made.readings,
            origin.alarm,
            made.tb,
            data,
        )


def _apart(stream: int, rows: Sequence[Row]) -> Iterator[tuple[Sequence[Row], int]]:
    """Part the alarms from the other events; within the rows of one seal their order is free."""
    if stream != Stream.EVENTS:
        yield rows, 0
        return
    marks = [is_alarm(row) for row in rows]
    for alarm in (True, False):
        if part := [row for row, mark in zip(rows, marks, strict=True) if mark is alarm]:
            yield part, int(alarm)
