"""What is durable of one spool id: its journal, its store, and how rows move between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import Stream
from edgenode.spool.answers import missing
from edgenode.spool.births import Births, write_births
from edgenode.spool.block import FORMAT, Mark, Status
from edgenode.spool.conditions import Conditions
from edgenode.spool.ledger import Ledger
from edgenode.spool.model import STREAMS, Identity
from edgenode.spool.outbox import Outbox
from edgenode.spool.packer import Draft, Packer
from edgenode.spool.rebuild import drop_ghosts, holes
from edgenode.spool.rows import Payload, Row, Segment, encode_payload
from edgenode.spool.store import Applied, Change, Held, Meta, Store, StoredBatch, batch_id, room_of
from edgenode.spool.times import Times
from edgenode.spool.totals import Totals
from edgenode.spool.traffic import Traffic
from edgenode.spool.unended import Unended
from edgenode.spool.unsealed import Run, Unsealed
from edgenode.spool.wear import Wear


class Ring(Protocol):
    """Where commits go: the journal on disk, or none at all."""

    def fits(self, payload: bytes, totals: int, oldest: int | None) -> bool: ...

    def commit(self, payload: bytes, status: Status) -> tuple[int, int]: ...

    def close(self) -> None: ...


class JournalFull(SpoolError):
    """Rows cannot be committed, since older ones cannot be sealed."""


@dataclass
class Counts:
    """Since start."""

    commits: int = 0
    sampled: bool = False  # one of them held samples
    blocks: int = 0
    seals: int = 0
    evicted: int = 0
    pruned: int = 0
    sealed_bytes: int = 0


@dataclass
class Core:
    """One spool id on disk. The spool thread alone calls; OSError and sqlite3.Error go up."""

    identity: Identity
    journal: Ring
    store: Store
    unsealed: Unsealed
    next_seqs: dict[int, int]
    ledger: Ledger
    times: Times
    conditions: Conditions
    unended: Unended
    traffic: Traffic
    wear: Wear
    totals: Totals
    births: Births
    outbox: Outbox
    release: Callable[[int], None]  # gives memory of sealed rows back to the window
    counts: Counts = field(default_factory=Counts)
    announced: dict[int, int] | None = None  # the next seqs of the last block of this process
    path: Path | None = None  # None: in memory
    format: int = FORMAT  # of what is written
    introduced: bool = True  # the store knows whose it is, so that the journal may be lost

    def __post_init__(self) -> None:
        """Look up what the store holds."""
        self.packer = Packer(self.identity, self.births, self.times)
        self.stored_losses = b""
        self._totals = -1  # version that the store has
        self._stale = True  # the store's small things are not this core's
        self.held = {stream: self.store.lowest(stream) for stream in STREAMS}
        self.outbox.start(self.next_seqs)

    # --- the journal ---

    def commit(self, segments: Sequence[Segment], now: int) -> None:
        """Make rows durable, and what was sealed before sendable.

        Raises JournalFull when the ring holds too much that is not sealed: seal, then try again.
        """
        payload = Payload(self.identity.epoch, self.identity.schema, tuple(segments))
        data = encode_payload(payload) if segments else b""
        status = self.status(now, {segment.stream: segment.end for segment in segments})
        if not self.journal.fits(data, len(status.totals), self.unsealed.oldest_block()):
            raise JournalFull("the journal is full of rows that could not be sealed yet")
        block, blocks = self.journal.commit(data, status)
        self.unsealed.add(payload, now)
        self.unsealed.placed(block, payload)
        self.unended.committed(*payload, self.births)
        self.counts.commits += 1
        self.counts.sampled |= any(segment.stream != Stream.EVENTS for segment in segments)
        self.counts.blocks += blocks
        self.announced = dict(self.next_seqs)
        self.outbox.publish(self.next_seqs)

    @property
    def noted(self) -> bool:
        """Conditions or traffic have changed since they were written."""
        return self.conditions.changed or self.traffic.changed

    def unannounced(self) -> bool:
        """Tell whether something is sealed that no durable block tells of yet."""
        return self.announced != self.next_seqs

    def status(self, now: int, ends: dict[int, int] | None = None) -> Status:
        """Return what a block tells now; `ends` are next ordinals that its rows lead to."""
        utc, err, source = self.times.estimate(now)
        me = self.identity
        marks = tuple(
            self._mark(stream, (ends or {}).get(stream, self.unsealed.ends[stream]))
            for stream in STREAMS
        )
        return Status(
            me.spool,
            me.board,
            me.boot,
            me.epoch,
            now,
            utc,
            err,
            source,
            marks,
            self.totals.snapshot(),
        )

    def _mark(self, stream: int, next_ordinal: int) -> Mark:
        runs, sealed_to = self.unsealed.runs[stream], self.unsealed.sealed_to(stream)
        ends = Held(self.next_seqs[stream], sealed_to if runs else next_ordinal)
        seqs, ordinals = zip(self.held[stream] or ends, *self.ledger.starts(stream), strict=True)
        return Mark(self.next_seqs[stream], next_ordinal, sealed_to, min(seqs), min(ordinals))

    # --- the store ---

    def seal(self, runs: Iterable[Run], empty: Iterable[int], now: int) -> None:
        """Seal the front of each run, and a batch without readings for each stream of `empty`.

        All in one transaction, and with it every ack that waits.
        """
        ledger = self.ledger.copy()
        for loss in self.unsealed.losses:
            ledger.add(loss)
        self._answer(ledger)
        pending = self.outbox.collect(self._first_held())
        for stream, low, high in pending.pruned:
            ledger.confirm(stream, high)
            self.times.confirm(stream, low, high)
        sealing = [(run, run.prefix()) for run in runs]
        draft = Draft(dict(self.next_seqs), self._first_held(), ledger)
        batches = [batch for run, rows in sealing for batch in self.packer.pack(run, rows, draft)]
        batches += [
            self.packer.empty(stream, self.unsealed.sealed_to(stream), draft) for stream in empty
        ]
        change = Change(
            ledger=ledger,
            stored_losses=self.stored_losses,
            batches=batches,
            pruned=[(batch_id(s, low), batch_id(s, high)) for s, low, high in pending.pruned],
            custody=pending.custody,
            meta=self._meta(now, draft.seqs, sealing)
            if sealing or batches or self._stale or self.noted
            else {},
        )
        version = self.totals.version
        applied = self.store.apply(change)
        if change.meta:
            self.times.changed = self._stale = False
            self.conditions.settled()
            self.unended.settled()
            self.traffic.settled()
            self.introduced = True
            self._totals = version
        self._sealed(sealing, batches, draft.seqs, applied)
        held = self.outbox.held + len(batches) - applied.pruned - applied.evicted_batches
        self.outbox.settled(pending, held)

    def _meta(
        self, now: int, seqs: dict[int, int], sealing: list[tuple[Run, tuple[Row, ...]]]
    ) -> dict[int, bytes]:
        sealed_to = {stream: self.unsealed.sealed_to(stream) for stream in STREAMS}
        for run, rows in sealing:
            sealed_to[run.stream] = run.r0 + sum(row.readings for row in rows)
        status = self.status(now)
        marks = [[seqs[stream], sealed_to[stream]] for stream in STREAMS]
        meta = {
            Meta.STATE: cbor2.dumps([self.format, *status[:8], marks]),
            Meta.WEAR: self.wear.dump(),
        }
        if self._totals != self.totals.version:
            meta[Meta.TOTALS] = self.totals.dump()
        if self.times.changed:
            meta[Meta.TIMES] = self.times.dump()
        if self.conditions.changed:
            meta[Meta.CONDITIONS] = self.conditions.dump()
        if self.unended.changed:
            meta[Meta.UNENDED] = self.unended.dump()
        if self.traffic.changed:
            meta[Meta.TRAFFIC] = self.traffic.dump()
        return {int(key): value for key, value in meta.items()}

    def _sealed(
        self,
        sealing: list[tuple[Run, tuple[Row, ...]]],
        batches: list[StoredBatch],
        seqs: dict[int, int],
        applied: Applied,
    ) -> None:
        self.ledger, self.stored_losses = applied.ledger, applied.losses
        self.unsealed.losses.clear()
        self.next_seqs = seqs
        for run, rows in sealing:
            self.release(self.unsealed.dropped(run, len(rows)))
        if applied.pruned or applied.evicted_batches or batches:
            self.held = {stream: self.store.lowest(stream) for stream in STREAMS}
        self.counts.seals += len(batches)
        self.counts.evicted += applied.evicted
        self.counts.pruned += applied.pruned
        self.counts.sealed_bytes += sum(room_of(batch) for batch in batches)

    def _first_held(self) -> dict[int, int]:
        return {
            stream: held.seq if held else self.next_seqs[stream]
            for stream, held in self.held.items()
        }

    def _answer(self, ledger: Ledger) -> None:
        """Enter as lost what the City OS asked for and is not held any more."""
        while self.outbox.asked:
            stream, low, high = self.outbox.asked.pop(0)
            end = Held(self.next_seqs[stream], self.unsealed.sealed_to(stream))
            for loss in missing(self.store, stream, low, high, end):
                if not ledger.lists(loss.stream, loss.seq):
                    ledger.add(loss)

    def learn(self, schema: bytes, birth: bytes) -> None:
        """Make a birth durable, and forget those that nothing held needs any more."""
        self.births.add(schema, birth)
        schemas = {run.schema for run in self.unsealed} | self.store.schemas()
        self.births.keep({schema, self.identity.schema, *schemas})
        if self.path:
            write_births(self.path, self.births)
        self.store.set_births(self.births)

    def adopt(self, schema: bytes) -> None:
        """Take the rows that come from now on as of this schema, whose birth is durable."""
        self.identity = self.identity._replace(schema=schema)
        self.packer = Packer(self.identity, self.births, self.times)

    def renew(self, store: Store) -> None:
        """Go on with a store that holds what could be saved; enter the rest as lost."""
        drop_ghosts(store, self._first_held(), self.ledger)
        for stream, held in self.held.items():
            end = Held(self.next_seqs[stream], self.unsealed.sealed_to(stream))
            for loss in list(holes(store, stream, held or end, end, self.ledger)):
                self.ledger.add(loss)
        store.set_births(self.births)
        self.store = store
        self.stored_losses, self._totals, self._stale = b"", -1, True
        self.times.changed = True
        self.conditions.touch()
        self.unended.touch()
        self.traffic.touch()
        self.held = {stream: store.lowest(stream) for stream in STREAMS}
        self.outbox.renew(store)

    def spent(self) -> bool:
        """Tell whether nothing is left to send or to tell."""
        return not (self.outbox.held or self.unsealed.readings() or list(self.ledger))

    def close(self) -> None:
        self.journal.close()
        self.store.database.close()
        self.outbox.close()
