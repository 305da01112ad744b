"""One block of the journal: 4 KiB that tell, each alone, how far the spool had come.

Layout, little-endian: magic "EDGJ", CRC-32 (zlib) of all bytes behind it, format; then the status
(who, when, the marks of every stream, the totals), the piece of a commit that is this block's own,
and repeats of pieces of commits before. Magic, CRC and format stay where they are in every format.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edgenode.reading import Total
from edgenode.spool.model import STREAMS

BLOCK = 4096
FORMAT = 1  # the newest that is known
OLDEST = 1  # that can still be read, and written
MAX_TOTALS = 64
_MAGIC = b"EDGJ"
_FRONT = struct.Struct("<4sIH")
_HEAD = struct.Struct("<Q8s8s8sQQqQBHH")
_MARK = struct.Struct("<5Q")
_TOTAL = struct.Struct("<8sqQQ")
_PIECE = struct.Struct("<QQHHH")
_FIXED = _FRONT.size + _HEAD.size + len(STREAMS) * _MARK.size


class Mark(NamedTuple):
    """How far a stream has come: counters that must never go back."""

    next_seq: int = 1
    next_ordinal: int = 0
    sealed_to: int = 0  # ordinals below are in sealed batches, or lost
    first_seq: int = 1  # the lowest that is held, or told of as lost; next_seq when none is
    first_ordinal: int = 0  # where what is held, or told of as lost, begins


class Status(NamedTuple):
    """What every block carries beside samples."""

    spool: bytes
    board: bytes  # 8 bytes that tell boards apart; zeros: not known
    boot: bytes  # 8 bytes that tell kernel boots apart
    epoch: int
    mono: int  # boot-time ms
    utc: int  # best estimate of POSIX ms at `mono`
    err: int
    source: int  # ClockSource of the estimate; NONE: a lower bound at best
    marks: tuple[Mark, ...]
    totals: Mapping[bytes, Total]  # by the 8-byte hash of the channel's name


class Piece(NamedTuple):
    """Part `part` of `of` of a commit, first written as block `block`."""

    block: int
    commit: int
    part: int
    of: int
    data: bytes

    @property
    def size(self) -> int:
        """Bytes that the piece takes in a block."""
        return _PIECE.size + len(self.data)


class Block(NamedTuple):
    """A whole block; the first piece is its own."""

    number: int
    status: Status
    pieces: tuple[Piece, ...]


def room(totals: int) -> int:
    """Return how many bytes of pieces fit a block that carries so many totals."""
    return BLOCK - _FIXED - totals * _TOTAL.size


def format_to_write(found: int, *, confirmed: bool) -> int:
    """Return the format in which a spool goes on that was `found` in one (0: a new spool).

    Until this version is confirmed the one before may come back, and must find what it can read.
    """
    return FORMAT if confirmed else found or OLDEST


def encode_block(number: int, status: Status, pieces: Sequence[Piece], version: int) -> bytes:
    """Return the 4,096 bytes of a block of format `version`, from OLDEST to FORMAT.

    What is too large raises ValueError.
    """
    parts = [
        _HEAD.pack(number, *status[:8], len(status.totals), len(pieces)),
        *(_MARK.pack(*mark) for mark in status.marks),
        *(_TOTAL.pack(key, *total) for key, total in status.totals.items()),
    ]
    for piece in pieces:
        parts += [_PIECE.pack(*piece[:4], len(piece.data)), piece.data]
    body = struct.pack("<H", version) + b"".join(parts)
    body = body.ljust(BLOCK - 8, b"\0")
    if len(body) > BLOCK - 8:
        raise ValueError(f"a journal block of {len(body)} bytes cannot be written")
    return _MAGIC + struct.pack("<I", zlib.crc32(body)) + body


def format_of(data: bytes) -> int | None:
    """Return the format of an intact block of any format; None when it is not intact."""
    magic, crc, version = _FRONT.unpack_from(data)
    intact = magic == _MAGIC and zlib.crc32(data[8:]) == crc
    return int(version) if intact else None


def decode_block(data: bytes) -> Block | None:
    """Return the block in 4,096 bytes; None when it is not intact or of no known format."""
    if len(data) != BLOCK or not OLDEST <= (format_of(data) or 0) <= FORMAT:
        return None
    head = _HEAD.unpack_from(data, _FRONT.size)
    number, spool, board, boot, epoch, mono, utc, err, source, n_totals, n_pieces = head
    at = _FRONT.size + _HEAD.size
    marks = tuple(Mark(*_MARK.unpack_from(data, at + i * _MARK.size)) for i in range(len(STREAMS)))
    at = _FIXED
    totals = {}
    for _ in range(n_totals):
        key, *total = _TOTAL.unpack_from(data, at)
        totals[key] = Total(*total)
        at += _TOTAL.size
    pieces = []
    for _ in range(n_pieces):
        block, commit, index, count, size = _PIECE.unpack_from(data, at)
        at += _PIECE.size
        pieces.append(Piece(block, commit, index, count, data[at : at + size]))
        at += size
    status = Status(spool, board, boot, epoch, mono, utc, err, source, marks, totals)
    return Block(number, status, tuple(pieces))
