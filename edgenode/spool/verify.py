"""Whether what a spool holds can be trusted: every block, every row, every batch, looked at."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cbor2

from edgenode.errors import SpoolError, WireError
from edgenode.spool.block import BLOCK, decode_block, format_of
from edgenode.spool.directory import spools_in
from edgenode.spool.glance import in_use, tree_of
from edgenode.spool.journal import EMPTY, RING, STRIDE
from edgenode.spool.rows import MALFORMED, decode_payload
from edgenode.spool.store import StoredBatch, place_of
from edgenode.spool.tree import Tree, TreeRow
from edgenode.wire import Batch, Birth, decode, expand, readings_in, schema_of

MOST = 100  # findings that are kept; all are counted


class Finding(NamedTuple):
    """One thing that is damaged."""

    where: str  # "<spool>/journal block 17", "<spool>/store.db page 12, batch 0/4711"
    what: str


@dataclass
class Verification:
    """What was found. Blocks never written count as neither sound nor damaged."""

    running: bool = False
    steady: bool = True  # false: a daemon wrote meanwhile, look again at what is damaged
    blocks_sound: int = 0
    blocks_damaged: int = 0
    rows_sound: int = 0
    rows_damaged: int = 0
    pages_damaged: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing is damaged."""
        return not (self.blocks_damaged or self.rows_damaged or self.pages_damaged)

    def damaged(self, where: str, what: str) -> None:
        """Note one more, as long as there is room."""
        if len(self.findings) < MOST:
            self.findings.append(Finding(where, what))


def verify(directory: Path) -> Verification:
    """Check every block of every journal, and every row and batch of every store.

    Reads only, one row at a time, and may run beside a daemon. A block that was torn by a power
    cut is damaged and costs nothing: what it held is repeated in others. Raises SpoolError where
    the directory cannot be read.
    """
    result = Verification()
    try:
        result.running = in_use(directory)
        for path in spools_in(directory):
            _journal(path, result)
            with tree_of(path) as tree:
                if tree is None:
                    result.pages_damaged += 1
                    result.damaged(f"{path.name}/store.db", "it is missing")
                else:
                    _store(path.name, tree, result)
                    result.steady = result.steady and tree.steady
    except OSError as error:
        raise SpoolError(f"the spool in {directory} cannot be read: {error.strerror}") from error
    return result


def _journal(path: Path, result: Verification) -> None:
    try:
        fd = os.open(path / "journal", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        result.blocks_damaged += 1
        result.damaged(f"{path.name}/journal", "it is missing")
        return
    try:
        for slot in range(RING):
            problem = _block(fd, slot) and _block(fd, slot)  # again: it may just have been written
            if problem:
                result.blocks_damaged += 1
                result.damaged(f"{path.name}/journal block {slot}", problem)
            elif problem is not None:
                result.blocks_sound += 1
    finally:
        os.close(fd)


def _block(fd: int, slot: int) -> str | None:
    """Return what is wrong with a block: nothing (""), or None where it was never written."""
    try:
        data = os.pread(fd, BLOCK, slot * BLOCK)
    except OSError as error:
        return f"the card cannot read it: {error.strerror}"
    if data == EMPTY:
        return None
    if len(data) < BLOCK:
        return "the file ends before it"
    return _content(data, slot)


def _content(data: bytes, slot: int) -> str:
    version, block = format_of(data), decode_block(data)
    if block is None:
        return "its checksum does not fit" if version is None else f"it is of format {version}"
    if block.number * STRIDE % RING != slot:
        return f"it says that it is block {block.number}, which does not belong here"
    own = block.pieces[0]
    if own.of == 1 and own.data:
        try:
            decode_payload(own.data)
        except SpoolError as error:
            return str(error)
    return ""


def _store(name: str, tree: Tree, result: Verification) -> None:
    births: dict[bytes, Birth] = {}
    for table in ("meta", "birth", "custody", "batch"):  # births before batches
        for row in tree.rows(table):
            problem = _row(table, row, bytes.fromhex(name), births)
            if not problem:
                result.rows_sound += 1
                continue
            result.rows_damaged += 1
            result.damaged(f"{name}/store.db page {row.page}, {_label(table, row)}", problem)
    result.pages_damaged += len(tree.faults)
    for fault in tree.faults:
        result.damaged(f"{name}/store.db page {fault.page}", fault.what)


def _label(table: str, row: TreeRow) -> str:
    """Name a row: a batch, and its custody, by stream and seq."""
    key: int = row.columns[0]
    stream, seq = place_of(key)
    return f"{table} {stream}/{seq}" if table in {"batch", "custody"} else f"{table} {key}"


def _row(table: str, row: TreeRow, spool: bytes, births: dict[bytes, Birth]) -> str:
    """Return what is wrong with a row, "" for nothing; a birth is kept for the batches."""
    if not row.sound:
        return "its checksum does not fit" if len(row.columns) > 1 else "it cannot be read"
    try:
        if table == "batch":
            return _batch(StoredBatch(*row.columns), spool, births)
        if table == "birth":
            schema, data = row.columns[1:]
            birth = decode(data)
            if not isinstance(birth, Birth) or schema_of(birth.groups) != schema:
                return "it is not the birth of its schema"
            births[schema] = birth
        if table == "meta":
            cbor2.loads(row.columns[1])
    except (WireError, *MALFORMED) as error:
        return f"it does not decode: {error}"
    return ""


def _batch(stored: StoredBatch, spool: bytes, births: Mapping[bytes, Birth]) -> str:
    batch = decode(stored.data)
    if not isinstance(batch, Batch):
        return "it holds another message"
    said = (batch.spool, batch.stream, batch.seq, batch.epoch, batch.schema, batch.r0)
    if said != (spool, *place_of(stored.id), stored.epoch, stored.schema, stored.r0):
        return "the batch says another identity than its row"
    birth = births.get(batch.schema)
    if birth is None:
        return "" if not (batch.groups or batch.events) else "the birth of its schema is missing"
    if readings_in(expand(batch, birth)) != stored.readings:
        return "it holds another number of readings than its row says"
    return ""
