"""What is found on disk of one spool id, in both halves, and how it becomes a core again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2

from edgenode.errors import SpoolError
from edgenode.reading import SpoolReason, Stream
from edgenode.spool.births import Births, read_births, write_births
from edgenode.spool.block import FORMAT, Mark, format_to_write
from edgenode.spool.conditions import Conditions
from edgenode.spool.core import Core, Ring
from edgenode.spool.journal import Found, Journal, NewerFormat
from edgenode.spool.ledger import Ledger
from edgenode.spool.model import STREAMS, Identity
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox
from edgenode.spool.rebuild import drop_ghosts, holes, rebuild, store_of, unfinished
from edgenode.spool.remembered import last_moment, loaded, times_of, totals_of
from edgenode.spool.rows import decode_payload
from edgenode.spool.store import Held, Meta, Store
from edgenode.spool.traffic import Traffic
from edgenode.spool.unended import Unended
from edgenode.spool.unsealed import Unsealed
from edgenode.spool.wear import Wear

HOPELESS = frozenset(  # not a matter of damage: a rebuild would fail the same way
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)


@dataclass
class Evidence:
    """Both halves of a spool as they were found."""

    path: Path | None  # None: in memory
    journal: Ring
    found: Found
    store: Store
    state: list[Any] | None  # of the store: [format, *status[:8], [[next seq, sealed to], ...]]
    meta: dict[int, bytes]
    salvaged: bool
    troubles: list[SpoolReason] = field(default_factory=list)
    format: int = FORMAT  # in which it goes on

    @property
    def spool(self) -> bytes:
        """The id, which is the directory's name."""
        return bytes.fromhex(self.path.name) if self.path else b""

    def lost(self) -> bool:
        """Tell whether neither half says where to go on."""
        return self.found.status is None and self.state is None

    def who(self) -> tuple[bytes, bytes, int, int]:
        """Return (board, boot, epoch, boot-time ms) of the last that was written."""
        told = [tuple(self.state[2:6])] if self.state else []
        told += [self.found.status[1:5]] if self.found.status else []
        board, boot, epoch, mono = max(told, key=lambda row: row[2:])
        return board, boot, epoch, mono

    def close(self) -> None:
        self.journal.close()
        self.store.database.abandon()


def examine(path: Path, options: SpoolOptions) -> Evidence:
    """Look at a spool's directory, making what is missing and salvaging what is damaged.

    Raises NewerFormat before anything is written to files of a later version; OSError or
    sqlite3.Error when the disk refuses.
    """
    fresh = not (path / "journal").exists()
    journal = Journal.open(path / "journal")
    try:
        found = journal.read()
        store, salvaged = _open(path, options)
        meta, state = _meta(store)
        evidence = Evidence(path, journal, found, store, state, meta, salvaged)
        if found.status and not salvaged and _behind(evidence):
            store, evidence.salvaged = rebuild(path, options, "behind the journal", store), True
            evidence.store = store
            evidence.meta, evidence.state = _meta(store)
    except BaseException:
        journal.close()
        raise
    stored = evidence.state[0] if evidence.state else 0
    evidence.format = format_to_write(max(found.format, stored), confirmed=options.confirmed)
    journal.format = evidence.format
    if evidence.salvaged and found.status:
        evidence.troubles.append(
            SpoolReason.STORE_SALVAGED if evidence.meta else SpoolReason.STORE_LOST
        )
    if found.status is None and evidence.state is not None and not fresh:
        evidence.troubles.append(SpoolReason.JOURNAL_LOST)
    return evidence


def _open(path: Path, options: SpoolOptions) -> tuple[Store, bool]:
    if unfinished(path):
        return rebuild(path, options, "a salvage was cut off"), True
    store = store_of(path, options)
    try:
        store.database.prepare()
        _meta(store)
        for stream in STREAMS:
            store.lowest(stream), store.highest(stream)
        store.births(), store.held(), store.unconfirmed()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in HOPELESS:
            store.database.abandon()
            raise
        return rebuild(path, options, f"the store cannot be read: {error}", store), True
    return store, False


def _meta(store: Store) -> tuple[dict[int, bytes], list[Any] | None]:
    meta = store.meta()
    if Meta.STATE not in meta:
        return meta, None
    state = cbor2.loads(meta[Meta.STATE])
    if state[0] > FORMAT:
        store.database.abandon()
        raise NewerFormat(f"the store is of format {state[0]}; this version knows {FORMAT}")
    return meta, state


def _behind(evidence: Evidence) -> bool:
    """Tell whether the store lacks seqs that the journal says it had."""
    status = evidence.found.status
    nexts = _next_seqs(evidence)
    return status is not None and any(status.marks[s].next_seq > nexts[s] for s in STREAMS)


def _next_seqs(evidence: Evidence) -> dict[int, int]:
    """Return the next seq of each stream as the store alone knows it."""
    nexts = {}
    for stream in STREAMS:
        stated = evidence.state[9][stream][0] if evidence.state else 1
        highest = evidence.store.highest(stream)
        nexts[stream] = max(stated, highest[0] + 1 if highest else 1)
    return nexts


def _sealed_to(evidence: Evidence) -> dict[int, int]:
    ordinals = {}
    for stream in STREAMS:
        stated = evidence.state[9][stream][1] if evidence.state else 0
        highest = evidence.store.highest(stream)
        ordinals[stream] = max(stated, highest[1] if highest else 0)
    return ordinals


@dataclass(frozen=True)
class Surroundings:
    """What a core needs that is not on disk."""

    options: SpoolOptions
    identity: Identity
    birth: bytes
    now: int
    make_outbox: Callable[[Identity, Store, Births], Outbox]
    release: Callable[[int], None]


def revive(evidence: Evidence, around: Surroundings) -> Core:
    """Put the two halves together; neither a seq nor an ordinal is ever used again."""
    marks = evidence.found.status.marks if evidence.found.status else (Mark(),) * len(STREAMS)
    stored = _next_seqs(evidence)
    nexts = {stream: max(stored[stream], marks[stream].next_seq) for stream in STREAMS}
    ordinals = _sealed_to(evidence)
    sealed_to = {stream: max(ordinals[stream], marks[stream].sealed_to) for stream in STREAMS}
    ledger = loaded(Ledger.load, evidence.meta.get(Meta.LOSSES), Ledger())
    if evidence.salvaged:
        _account(evidence, marks, nexts, sealed_to, ledger)
    unsealed = _unsealed(evidence, marks, sealed_to, around.now)
    conditions = loaded(Conditions.load, evidence.meta.get(Meta.CONDITIONS), Conditions())
    last = last_moment(evidence.found, evidence.state)
    conditions.begin(around.identity.epoch, around.now, last)
    births = _births(evidence, unsealed, around)
    unended = loaded(Unended.load, evidence.meta.get(Meta.UNENDED), Unended())
    for run in unsealed.runs[Stream.EVENTS]:
        unended.take(run.epoch, run.schema, run.rows, births)
    core = Core(
        identity=around.identity,
        journal=evidence.journal,
        store=evidence.store,
        unsealed=unsealed,
        next_seqs=nexts,
        ledger=ledger,
        times=times_of(evidence.found, evidence.meta, around.identity.epoch),
        conditions=conditions,
        unended=unended,
        traffic=loaded(Traffic.load, evidence.meta.get(Meta.TRAFFIC), Traffic()),
        wear=loaded(Wear.load, evidence.meta.get(Meta.WEAR), Wear()),
        totals=totals_of(evidence.found, evidence.meta),
        births=births,
        outbox=around.make_outbox(around.identity, evidence.store, births),
        release=around.release,
        path=evidence.path,
        format=evidence.format,
        introduced=evidence.state is not None,
    )
    if evidence.found.status:  # what the journal knows of was, or could have been, sent
        core.outbox.publish({s: min(nexts[s], marks[s].next_seq) for s in STREAMS})
    return core


def _account(
    evidence: Evidence,
    marks: tuple[Mark, ...],
    nexts: dict[int, int],
    sealed_to: dict[int, int],
    ledger: Ledger,
) -> None:
    """Drop what a salvage brought back, and enter what it could not save."""
    known = evidence.found.status is not None
    lowest = {stream: marks[stream].first_seq if known else 0 for stream in STREAMS}
    drop_ghosts(evidence.store, lowest, ledger)
    for stream in STREAMS:
        held = evidence.store.lowest(stream)
        first = Held(marks[stream].first_seq, marks[stream].first_ordinal) if known else held
        if first:
            end = Held(nexts[stream], sealed_to[stream])
            for loss in list(holes(evidence.store, stream, first, end, ledger)):
                ledger.add(loss)


def _unsealed(
    evidence: Evidence, marks: tuple[Mark, ...], sealed_to: dict[int, int], now: int
) -> Unsealed:
    unsealed = Unsealed([sealed_to[stream] for stream in STREAMS])
    for commit in evidence.found.commits:
        if not commit.payload:
            continue
        try:
            payload = decode_payload(commit.payload)
        except SpoolError:
            continue  # its ordinals are found missing
        unsealed.add(payload, now)
        unsealed.placed(commit.block, payload)
    for stream in STREAMS:
        unsealed.skip_to(stream, marks[stream].next_ordinal)
    return unsealed


def _births(evidence: Evidence, unsealed: Unsealed, around: Surroundings) -> Births:
    stored = evidence.store.births()
    births = Births(stored | (read_births(evidence.path) if evidence.path else {}))
    births.add(around.identity.schema, around.birth)
    births.keep(
        {around.identity.schema, *evidence.store.schemas(), *(run.schema for run in unsealed)}
    )
    if evidence.path:
        write_births(evidence.path, births)
    if dict(births) != stored:
        evidence.store.set_births(births)
    return births
