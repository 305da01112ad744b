"""The rows of a store by its own tree, read without SQLite: nothing is locked, nothing written.

Unlike a salvage this sees what SQLite sees, no row that was pruned; and what it cannot reach, it
names. The daemon keeps its store locked for itself, so this is the only way to look beside it.
Format: https://www.sqlite.org/fileformat2.html, sections 1.6 and 2.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from edgenode.spool.checksum import Value, row_crc
from edgenode.spool.pages import Pages
from edgenode.spool.record import (
    LEAF_TABLE,
    Cell,
    cells,
    columns,
    payload,
    pointers,
    serial_types,
)
from edgenode.spool.wal import read_wal

INTERIOR_TABLE = 0x05
FILE_HEADER = 100  # bytes of page 1 before its own header
DEPTH_MAX = 12  # of a tree; six levels of 1 KiB pages hold more rows than a cap allows


class TreeRow(NamedTuple):
    """A row as the tree has it: the key first. `sound` tells whether its checksum fits."""

    page: int
    columns: tuple[Any, ...]  # without the checksum; only the key where it cannot be read
    sound: bool


class Fault(NamedTuple):
    """A page of the tree that is no such page."""

    page: int
    what: str


class Tree:
    """One look at a store. A daemon that writes meanwhile may make it see neither old nor new.

    `steady` tells afterwards whether that could have been. Raises OSError when the store cannot
    be opened.
    """

    def __init__(self, store: Path) -> None:
        self._files = (store, store.with_name(store.name + "-wal"))
        self._before = self._stamp()
        wal = read_wal(self._files[1])
        self._overlay = wal.committed
        self._pages = Pages(*self._files, wal)
        self._fetch = partial(self._pages.fetch, overlay=self._overlay)
        self._left = 0
        self.faults: list[Fault] = []
        self.used = 0  # pages looked at that hold something

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pages.__exit__(*exc)

    def _stamp(self) -> tuple[int, bytes]:
        """Return what changes when the log is written back into the store, and begun again."""
        store, log = self._files
        head = b""
        if log.exists():
            with log.open("rb") as file:
                head = file.read(32)
        return store.stat().st_mtime_ns, head

    @property
    def steady(self) -> bool:
        """Nothing but new transactions came while it was looked at."""
        return self._stamp() == self._before

    def rows(self, table: str) -> Iterator[TreeRow]:
        """Yield the rows of a table in the order of their keys."""
        root = self._root(table)
        if root is None:
            self.faults.append(Fault(1, f"the schema has no table {table}"))
            return
        for page, number, cell in self._cells(root):
            values = self._values(page, cell)
            if values is None or values[-1] is None:
                yield TreeRow(number, (cell.rowid,), sound=False)
                continue
            row = (cell.rowid, *values[1:-1])
            yield TreeRow(number, row, sound=row_crc(table, *row) == values[-1])

    def _root(self, table: str) -> int | None:
        """Look a table's root page up in the schema: (type, name, tbl_name, rootpage, sql)."""
        for page, _, cell in self._cells(1):
            values = self._values(page, cell)
            if values and values[:2] == ["table", table] and isinstance(values[3], int):
                return values[3]
        return None

    def _values(self, page: bytes, cell: Cell) -> list[Value] | None:
        types = serial_types(page, cell)
        record = payload(page, cell, self._pages.usable, self._overflow) if types else None
        return columns(record, types) if record is not None and types else None

    def _overflow(self, number: int) -> bytes | None:
        self.used += 1
        return self._fetch(number)

    def _cells(self, root: int) -> Iterator[tuple[bytes, int, Cell]]:
        """Yield the cells of all leaves below a page, with their page, left to right."""
        self._left = self._pages.count(self._overlay)
        yield from self._below(root, 0)

    def _below(self, number: int, depth: int) -> Iterator[tuple[bytes, int, Cell]]:
        page = self._fetch(number)
        self.used += 1
        self._left -= 1
        head = FILE_HEADER if number == 1 else 0
        kind = page[head] if page else None
        if page is None or kind not in (LEAF_TABLE, INTERIOR_TABLE):
            self.faults.append(Fault(number, "it is no page of a table"))
        elif depth > DEPTH_MAX or self._left < 0:
            self.faults.append(Fault(number, "the tree loops"))
        elif kind == LEAF_TABLE:
            for cell in cells(page, head):
                if cell is None:
                    self.faults.append(Fault(number, "a row of it leads nowhere"))
                else:
                    yield page, number, cell
        else:
            for child in _children(page, head):
                yield from self._below(child, depth + 1)


def _children(page: bytes, head: int) -> list[int]:
    """Return the pages below an interior page; the rightmost stands in its header."""
    lefts = [int.from_bytes(page[at : at + 4]) for at in pointers(page, head, 12)]
    return [*lefts, int.from_bytes(page[head + 8 : head + 12])]
