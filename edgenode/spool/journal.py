"""The journal: a ring of blocks, written with zeros once and overwritten for ever.

Block b lives at slot b * STRIDE mod RING, so that the neighbours on the card of a block in flight
are blocks of other minutes, whose samples are repeated elsewhere. A commit is one flush: its
payload split into pieces, a fresh block for each, and in the room that is left repeats of the
pieces of earlier commits, those that have none yet first.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import NamedTuple

from edgenode.errors import SpoolError
from edgenode.spool.block import (
    BLOCK,
    FORMAT,
    Block,
    Piece,
    Status,
    decode_block,
    encode_block,
    format_of,
    room,
)

RING = 257  # blocks: 1 MiB, a prime
STRIDE = 16  # 64 KiB between consecutive blocks; 16 * 16 = -1 mod 257, so both ways round
MAX_PIECE = 1_900  # of a commit's own samples in a block
MIN_PIECE = 256
MAX_PAYLOAD = 6_000  # of a commit: at most 7 blocks, fewer than half of STRIDE
RECENT = 32  # pieces kept at hand for repeating
EMPTY = BLOCK * b"\0"


class Commit(NamedTuple):
    """A commit that can be read again in full; it began with block `block`."""

    number: int
    block: int
    payload: bytes


class Found(NamedTuple):
    """What a journal holds: the status of its newest block, and all whole commits in order."""

    status: Status | None
    commits: tuple[Commit, ...]
    statuses: tuple[Status, ...]  # the newest of each epoch, ascending
    blocks: int
    format: int = 0  # the newest among them; 0: there are none


class Journal:
    """The ring on disk. One thread writes; every method may raise OSError."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.format = FORMAT  # of what is written
        self.next_block = 0
        self.next_commit = 0
        self._recent: deque[Piece] = deque(maxlen=RECENT)
        self._owed: deque[Piece] = deque(maxlen=RECENT)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open the ring, or write it with zeros where it is missing or short.

        Block by block and without read-ahead: Linux 6.16 and later cache what moves in one piece
        as one piece, and /proc/self/io then counts a block that is overwritten as all of it.
        """
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        size = os.fstat(fd).st_size
        if size < RING * BLOCK:
            whole = size - size % BLOCK  # a torn end is no block
            for offset in range(whole, RING * BLOCK, BLOCK):
                _pwrite(fd, EMPTY, offset)
            os.fdatasync(fd)
            sync_directory(path.parent)
        return cls(fd)

    def read(self) -> Found:
        """Read every block; what was written last is repeated and continued from here on."""
        blocks, newer = [], 0
        for slot in range(RING):
            data = _pread(self.fd, slot * BLOCK)
            newer = max(newer, format_of(data) or 0)
            if (block := decode_block(data)) and block.number * STRIDE % RING == slot:
                blocks.append(block)
        if newer > FORMAT:
            raise NewerFormat(f"the journal is of format {newer}; this version knows {FORMAT}")
        return self._found(sorted(blocks))._replace(format=newer)

    def _found(self, blocks: list[Block]) -> Found:
        if blocks:
            spool = blocks[-1].status.spool
            blocks = [block for block in blocks if block.status.spool == spool]
        pieces = {(p.commit, p.part): p for block in blocks for p in block.pieces}
        if blocks:
            self.next_block = blocks[-1].number + 1
            self.next_commit = max((commit for commit, _ in pieces), default=-1) + 1
            self._recent.extend(piece for _, piece in sorted(pieces.items()))
            self._owed.extend(block.pieces[0] for block in blocks[-2:] if block.pieces)
        commits: dict[int, list[Piece]] = {}
        for _, piece in sorted(pieces.items()):
            commits.setdefault(piece.commit, []).append(piece)
        whole = tuple(
            Commit(number, parts[0].block, b"".join(part.data for part in parts))
            for number, parts in commits.items()
            if len(parts) == parts[0].of
        )
        epochs = {block.status.epoch: block.status for block in blocks}
        newest = blocks[-1].status if blocks else None
        return Found(newest, whole, tuple(epochs[key] for key in sorted(epochs)), len(blocks))

    def fits(self, payload: bytes, totals: int, oldest: int | None) -> bool:
        """Tell whether a commit leaves block `oldest` (None: nothing to spare) untouched."""
        last = self.next_block + len(self._split(payload, totals)) - 1
        return oldest is None or last - RING < oldest

    def commit(self, payload: bytes, status: Status) -> tuple[int, int]:
        """Make `payload` durable under `status`; return (its first block, how many)."""
        first, number = self.next_block, self.next_commit
        parts = self._split(payload, len(status.totals))
        own = [Piece(first + i, number, i, len(parts), part) for i, part in enumerate(parts)]
        self.next_block += len(own)  # also after a failure: a block number is used once
        self.next_commit += 1
        for piece in own:
            pieces = self._with_repeats(piece, len(status.totals))
            data = encode_block(piece.block, status, pieces, self.format)
            _pwrite(self.fd, data, piece.block * STRIDE % RING * BLOCK)
        os.fdatasync(self.fd)
        self._recent.extend(own)
        self._owed.extend(piece for piece in own if piece.data)
        return first, len(own)

    def _split(self, payload: bytes, totals: int) -> list[bytes]:
        """Cut so that each block has room for one piece that is still to be repeated."""
        overhead = Piece(0, 0, 0, 0, b"").size
        space = room(totals) - overhead
        owed = [piece.size for piece in self._owed]
        parts, at = list[bytes](), 0
        while at < len(payload) or not parts:
            due = owed[len(parts)] if len(parts) < len(owed) else space // 2
            size = max(MIN_PIECE, min(MAX_PIECE, space - due))
            parts.append(payload[at : at + size])
            at += size
        return parts

    def _with_repeats(self, own: Piece, totals: int) -> list[Piece]:
        pieces, left = [own], room(totals) - own.size
        if self._owed and self._owed[0].size <= left:
            pieces.append(self._owed.popleft())
            left -= pieces[-1].size
        elif self._owed:
            self._owed.popleft()  # never again will there be more room for it
        for piece in reversed(self._recent):
            if piece.data and piece not in pieces and piece.size <= left:
                pieces.append(piece)
                left -= piece.size
        return pieces

    def close(self) -> None:
        os.close(self.fd)


class NewerFormat(SpoolError):
    """Files of a later version of edgenode, which are left untouched."""


def _pread(fd: int, offset: int) -> bytes:
    """Read one block; what the card cannot read any more counts as zeros."""
    try:
        return os.pread(fd, BLOCK, offset).ljust(BLOCK, b"\0")
    except OSError:
        return EMPTY


def _pwrite(fd: int, data: bytes, offset: int) -> None:
    if os.pwrite(fd, data, offset) != len(data):
        raise OSError(28, "the journal was written in part only")


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
