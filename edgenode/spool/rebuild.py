"""A store that cannot be read is replaced by a new one, with every row that still proves itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from edgenode.spool.checksum import row_crc
from edgenode.spool.journal import sync_directory
from edgenode.spool.ledger import Ledger
from edgenode.spool.model import STREAMS
from edgenode.spool.options import SpoolOptions
from edgenode.spool.quarantine import set_aside
from edgenode.spool.salvage import Salvage, SalvagedRow
from edgenode.spool.store import TABLES, Held, Store, batch_id
from edgenode.wire import Loss, LossReason

STORE, DAMAGED, FRESH = "store.db", "damaged.db", "fresh.db"
SUFFIXES = ("", "-wal", "-shm", "-journal")
QUARANTINE_SHARE = 16  # of the cap: one part in so many
ROWS = 256  # of a transaction


def store_of(spool: Path, options: SpoolOptions, name: str = STORE) -> Store:
    """Return the store of a spool, still to be prepared."""
    return Store(spool / name, store_cap(options), pregrow=options.pregrow)


def store_cap(options: SpoolOptions) -> int:
    """Return the bytes of the store: the cap, less the share that quarantine may take."""
    return options.cap_bytes - options.cap_bytes // QUARANTINE_SHARE


def unfinished(spool: Path) -> bool:
    """Tell whether a rebuild was begun and not finished."""
    return (spool / DAMAGED).exists()


def rebuild(spool: Path, options: SpoolOptions, reason: str, damaged: Store | None = None) -> Store:
    """Salvage the store of a spool into a new one; the old files go to quarantine.

    Cut off at any point, it begins again from the damaged files. Raises OSError or sqlite3.Error
    when there is no room, or no right to write.
    """
    if not unfinished(spool):
        _move(spool, STORE, DAMAGED)
    if damaged is not None:
        damaged.database.abandon()  # only now: closing removes a log by its old name
    _remove(spool, FRESH)
    _remove(spool, STORE)
    fresh = store_of(spool, options, FRESH)
    try:
        fresh.database.prepare()
        if unfinished(spool):
            salvage = Salvage(spool / DAMAGED, TABLES)
            _fill(fresh, salvage.rows())
            reason += f"; {salvage.pages_read} pages read, {salvage.pages_bad} unreadable"
    finally:
        fresh.database.abandon()
    _move(spool, FRESH, STORE)
    files = [spool / (DAMAGED + suffix) for suffix in SUFFIXES]
    set_aside(spool, files, reason, options.cap_bytes // QUARANTINE_SHARE)
    store = store_of(spool, options)
    store.database.prepare()
    return store


def _move(spool: Path, old: str, new: str) -> None:
    for suffix in reversed(SUFFIXES):  # the file that tells of a rebuild moves last
        if (spool / (old + suffix)).exists():
            (spool / (old + suffix)).rename(spool / (new + suffix))
    sync_directory(spool)


def _remove(spool: Path, name: str) -> None:
    for suffix in SUFFIXES:
        (spool / (name + suffix)).unlink(missing_ok=True)


def _fill(store: Store, rows: Iterator[SalvagedRow]) -> None:
    """Insert what was saved, the first of two versions of a row; a full store ends it."""
    run = store.database.connection
    while part := list(islice(rows, ROWS)):

        def work(part: Iterable[SalvagedRow] = part) -> None:
            for table, columns in part:
                marks = ", ".join("?" * (len(columns) + 1))
                run.execute(
                    f"INSERT OR IGNORE INTO {table} VALUES ({marks})",  # noqa: S608 - own names
                    (*columns, row_crc(table, *columns)),
                )

        try:
            store.database.transaction(work)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
            return


def drop_ghosts(store: Store, lowest: dict[int, int], ledger: Ledger) -> None:
    """Delete what a page scan brought back: what was pruned or evicted, by journal and ledger."""
    run = store.database.connection

    def work() -> None:
        for stream in STREAMS:
            spans = [(0, lowest[stream] - 1)]
            spans += [
                (entry.loss.seq, entry.loss.seq + entry.loss.nseq - 1)
                for entry in ledger
                if entry.loss.stream == stream and entry.loss.nseq
            ]
            for low, high in spans:
                span = batch_id(stream, low), batch_id(stream, high)
                run.execute("DELETE FROM batch WHERE id BETWEEN ? AND ?", span)
        run.execute("DELETE FROM custody WHERE id NOT IN (SELECT id FROM batch)")

    store.database.transaction(work)


def holes(store: Store, stream: int, first: Held, end: Held, ledger: Ledger) -> Iterator[Loss]:
    """Yield what is missing between batch `first` and batch `end`, which is not included."""
    seq, ordinal = first
    rows = store.all(
        "SELECT id & ?, r0, readings FROM batch WHERE id >= ? AND id < ? ORDER BY id",
        batch_id(1, 0) - 1,
        batch_id(stream, first.seq),
        batch_id(stream, end.seq),
    )
    for held, r0, readings in [*rows, (*end, 0)]:
        count = max(0, r0 - ordinal)
        if held > seq and not ledger.lists(stream, seq):
            yield Loss(stream, ordinal, count, LossReason.CORRUPT, seq, held - seq)
        elif count and held == seq:  # was never sealed: the ledger that said why may be lost
            yield Loss(stream, ordinal, count, LossReason.CORRUPT, 0, 0)
        seq, ordinal = held + 1, r0 + readings
