"""Cells of an SQLite leaf table page as rows, read without SQLite and bounded at every step.

Format: https://www.sqlite.org/fileformat2.html, sections 1.6 (pages, cells, overflow) and 2.1
(records). Anything that does not fit is refused with None: a damaged page must cost its own rows
and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edgenode.spool.checksum import Value

LEAF_TABLE = 0x0D
PAYLOAD_MAX = 1 << 20  # a batch is at most 256 KiB on the wire
FETCH = Callable[[int], bytes | None]
INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8, 0, 0, 0)  # by serial type; 7 is a float, which no row holds
FLOAT = 7


class Cell(NamedTuple):
    """A cell's place: `size` bytes of payload begin at `start` of their page."""

    rowid: int
    size: int
    start: int


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (a 1- to 9-byte big-endian integer, signed 64-bit; where it ends).

    Raises IndexError where the bytes end first.
    """
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for offset in range(1, 8):
        byte = data[at + offset]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + offset + 1
    value = value << 8 | data[at + 8]
    return value - (1 << 64) if value >> 63 else value, at + 9


def cells(page: bytes, head: int = 0) -> list[Cell | None]:
    """Return the cells of a leaf table page, None for each pointer that leads nowhere.

    Its header begins at `head`, on page 1 behind that of the file. An empty list when it cannot be.
    """
    return [_cell(page, at) for at in pointers(page, head, 8)]


def pointers(page: bytes, head: int, size: int) -> list[int]:
    """Return where the cells of a page begin, by its header of `size` bytes; none if it cannot be.

    Section 1.6: two bytes of count at offset 3 of the header, then two bytes for each cell.
    """
    count = page[head + 3] << 8 | page[head + 4]
    first = head + size
    if first + 2 * count > len(page):
        return []
    return [page[at] << 8 | page[at + 1] for at in range(first, first + 2 * count, 2)]


def _cell(page: bytes, at: int) -> Cell | None:
    try:
        size, at = varint(page, at)
        rowid, at = varint(page, at)
    except IndexError:
        return None
    return Cell(rowid, size, at) if 0 < size <= PAYLOAD_MAX else None


def local_bytes(size: int, usable: int) -> int:
    """How much of a payload stays on a leaf table page of `usable` bytes; the rest overflows."""
    most = usable - 35
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    kept = least + (size - least) % (usable - 4)
    return kept if kept <= most else least


def payload(page: bytes, cell: Cell, usable: int, fetch: FETCH) -> bytes | None:
    """Collect a cell's payload along its overflow pages; None when the chain is broken.

    The chain is exactly as long as the size demands, so a loop ends like any wrong chain: too
    early, or with bytes that no checksum fits.
    """
    local = local_bytes(cell.size, usable)
    end = cell.start + local
    if end + (4 if local < cell.size else 0) > len(page):
        return None
    if local == cell.size:
        return page[cell.start : end]
    parts, missing = [page[cell.start : end]], cell.size - local
    following = int.from_bytes(page[end : end + 4])
    while missing > 0:
        overflow = fetch(following)
        if overflow is None:
            return None
        part = overflow[4 : 4 + min(missing, usable - 4)]
        parts.append(part)
        missing -= len(part)
        following = int.from_bytes(overflow[:4])
    return b"".join(parts) if following == 0 else None


def serial_types(page: bytes, cell: Cell) -> tuple[int, ...] | None:
    """Return the serial types of a cell's columns, read from the page alone; None if broken.

    The header of a record is never longer than what stays on the page, for the tables of a spool,
    and no type needs the ninth byte of a varint, in which all eight bits count.
    """
    try:
        header, at = varint(page, cell.start)
    except IndexError:
        return None
    end = cell.start + header
    if not at <= end <= len(page) or header > cell.size:
        return None
    types, kind = [], 0
    for byte in page[at:end]:
        kind = kind << 7 | byte & 0x7F
        if byte < 0x80:
            types.append(kind)
            kind = 0
    return tuple(types) if kind == 0 else None


def columns(record: bytes, types: tuple[int, ...]) -> list[Value] | None:
    """Split a whole payload by its serial types; None when they do not fill it exactly."""
    values: list[Value] = []
    at = varint(record, 0)[0]
    for kind in types:
        if kind == 0:
            values.append(None)
        elif kind in (8, 9):
            values.append(kind - 8)
        elif 0 < kind < FLOAT:
            values.append(int.from_bytes(record[at : at + INTEGER_BYTES[kind]], signed=True))
            at += INTEGER_BYTES[kind]
        elif kind >= 12:
            size = (kind - 12) >> 1
            data = record[at : at + size]
            at += size
            try:
                values.append(data.decode() if kind & 1 else data)
            except UnicodeDecodeError:
                return None
        else:
            return None
    return values if at == len(record) else None
