"""What can be saved from a damaged store: every row that proves itself, whatever its tree became.

SQL reaches a row through page 1, the root and the interior pages, and one of them gone loses the
whole backlog. A scan reads each page for itself, so that a bad page costs its own rows alone.
Pages that SQLite gave back still hold their old rows, so a scan also finds what was pruned or
evicted: the caller knows from the journal and the loss ledger what to drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from edgenode.spool.checksum import Value, row_crc
from edgenode.spool.pages import Pages
from edgenode.spool.record import LEAF_TABLE, Cell, cells, columns, payload, serial_types
from edgenode.spool.wal import read_wal

NOT_INTEGER = frozenset({0, 7, 10, 11})
FETCH = Callable[[int], bytes | None]


class SalvagedRow(NamedTuple):
    """A row whose checksum fits: the key first, the checksum left out."""

    table: str
    columns: tuple[Value, ...]


class Salvage:
    """One scan of a store. `tables` gives the number of columns of each, key and crc included.

    The counts are complete once `rows` is exhausted: pages looked at, pages that could not be
    read, and rows that had the shape of one of the tables but failed their checksum (which is
    also how a row ends whose overflow pages were given back and used again).
    """

    def __init__(self, store: Path, tables: Mapping[str, int]) -> None:
        self.pages_read = self.pages_bad = self.rows_refused = 0
        self._store = store
        self._wal = store.with_name(store.name + "-wal")
        self._tables: dict[int, list[str]] = {}
        for table, width in tables.items():
            self._tables.setdefault(width, []).append(table)

    def rows(self) -> Iterator[SalvagedRow]:
        """Yield each row once, what SQLite would have seen before what it would have forgotten.

        Where old and new versions of a row are both found, both are yielded. Raises OSError
        when the store cannot be opened.
        """
        wal = read_wal(self._wal)
        seen: set[tuple[int, int]] = set()
        with Pages(self._store, self._wal, wal) as pages:
            views = [(wal.committed, pages.leaves(wal.committed))]
            if wal.beyond:
                whole = wal.committed | wal.beyond
                beyond = (pages.fetch(number, whole) for number in wal.beyond)
                views.append((whole, (page for page in beyond if page and page[0] == LEAF_TABLE)))
            for overlay, leaves in views:
                fetch = partial(pages.fetch, overlay=overlay)
                for leaf in leaves:
                    yield from self._rows_of(leaf, pages.usable, fetch, seen)
            self.pages_read, self.pages_bad = pages.read, pages.unreadable + wal.bad

    def _rows_of(
        self, leaf: bytes, usable: int, fetch: FETCH, seen: set[tuple[int, int]]
    ) -> Iterator[SalvagedRow]:
        for cell in cells(leaf):
            types = serial_types(leaf, cell) if cell else None
            if not cell or not types or types[0] or types[-1] in NOT_INTEGER:
                continue
            candidates = self._tables.get(len(types))
            if not candidates or types[-1] >= 12:
                continue
            row = self._proved(leaf, cell, types, usable, fetch, candidates)
            if row is None:
                self.rows_refused += 1
            elif (row[0], cell.rowid) not in seen:
                seen.add((row[0], cell.rowid))
                yield row[1]

    def _proved(
        self,
        leaf: bytes,
        cell: Cell,
        types: tuple[int, ...],
        usable: int,
        fetch: FETCH,
        candidates: list[str],
    ) -> tuple[int, SalvagedRow] | None:
        """Return (checksum, row) of the table whose name makes the checksum fit."""
        record = payload(leaf, cell, usable, fetch)
        values = columns(record, types) if record is not None else None
        if values is None:
            return None
        key_and_rest = (cell.rowid, *values[1:-1])
        for table in candidates:
            if (crc := row_crc(table, *key_and_rest)) == values[-1]:
                return crc, SalvagedRow(table, key_and_rest)
        return None
