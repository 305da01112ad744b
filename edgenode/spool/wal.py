"""The write-ahead log of a store, read without SQLite: which pages it holds, and how sure that is.

Layout, checksum and recovery rule: https://www.sqlite.org/fileformat2.html, section 4.
SQLite stops at the first bad frame and forgets every frame behind it. A salvage must not, so the
frames behind a bad one are offered apart: each is still proved, by the checksum that the frame
before it stored.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct(">8I")  # magic, version, page size, checkpoint, salt 1 and 2, checksum
FRAME = struct.Struct(">6I")  # page, pages of the store after a commit or 0, salt, checksum
MAGIC = 0x377F0682  # lowest bit set: checksums over big-endian words
PAGE_SIZE = 1024  # what the spool creates; used where no header tells
PAGE_SIZES = frozenset(1 << n for n in range(9, 17))
WORD = 0xFFFF_FFFF
MISSES = 64  # bad frames in a row that are stepped over: one erased flash page holds fewer

Checksum = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WalPages:
    """Where the newest copy of a page stands in the log: page number -> offset of its bytes.

    `committed` is what SQLite would see. `beyond` is what it would forget: committed frames
    behind a damaged one. `bad` counts frames of this log that proved nothing.
    """

    page_size: int = 0  # 0: the log says nothing
    committed: dict[int, int] = field(default_factory=dict)
    beyond: dict[int, int] = field(default_factory=dict)
    bad: int = 0


class _Frame(NamedTuple):
    """One frame that carries the salt of this log; `proved` by the checksum stored before it."""

    page: int
    commits: bool
    offset: int
    proved: bool


def checksum(data: bytes, order: str, seed: Checksum = (0, 0)) -> Checksum:
    """Continue SQLite's WAL checksum over `data` (a multiple of 8 bytes); order ">" or "<"."""
    a, b = seed
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        a = (a + even + b) & WORD
        b = (b + odd + a) & WORD
    return a, b


def read_wal(path: Path) -> WalPages:
    """Read the log beside a store; a missing, empty or unreadable one holds no pages."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return WalPages()
    try:
        return _read(fd)
    finally:
        os.close(fd)


def _read(fd: int) -> WalPages:
    head = _pread(fd, HEADER.size, 0)
    magic, _, page_size, _, salt1, salt2, check1, check2 = HEADER.unpack(head.ljust(32, b"\0"))
    order = ">" if magic & 1 else "<"
    sound = magic | 1 == MAGIC | 1 and checksum(head[:24], order) == (check1, check2)
    if sound:
        frames = _frames(fd, page_size, order, (salt1, salt2), (check1, check2))
        return _sorted_out(frames, page_size)
    first = _pread(fd, FRAME.size, HEADER.size)  # the log must tell what its header cannot
    if len(first) < FRAME.size:
        return WalPages()
    _, _, salt1, salt2, _, _ = FRAME.unpack(first)
    return max(
        (
            _sorted_out(_frames(fd, PAGE_SIZE, order, (salt1, salt2), None), PAGE_SIZE)
            for order in "<>"
        ),
        key=lambda pages: len(pages.beyond),
    )


def _frames(
    fd: int, page_size: int, order: str, salt: Checksum, seed: Checksum | None
) -> Iterator[_Frame]:
    """Yield the frames in order until the log ends: its file, or MISSES unproved ones in a row."""
    size, misses = FRAME.size + page_size, 0
    for offset in range(HEADER.size, os.fstat(fd).st_size - size + 1, size):
        raw = _pread(fd, size, offset).ljust(size, b"\0")
        page, commit, salt1, salt2, check1, check2 = FRAME.unpack_from(raw)
        proved = (
            (salt1, salt2) == salt
            and seed is not None
            and checksum(raw[FRAME.size :], order, checksum(raw[:8], order, seed))
            == (check1, check2)
        )
        misses = 0 if proved else misses + 1
        if misses > MISSES:
            return
        yield _Frame(page, bool(commit), offset + FRAME.size, proved)
        seed = (check1, check2)


def _sorted_out(frames: Iterator[_Frame], page_size: int) -> WalPages:
    """Apply the frames transaction by transaction; what no commit frame closes never happened."""
    found = WalPages(page_size=page_size)
    into, open_pages, bad, unproved = found.committed, dict[int, int](), 0, 0
    for frame in frames:
        if not frame.proved:
            into = found.beyond
            unproved += 1
            continue
        bad, unproved = bad + unproved, 0  # frames at the end of the log are its old tail
        open_pages[frame.page] = frame.offset
        if frame.commits:
            into.update(open_pages)
            open_pages = {}
    return WalPages(page_size, found.committed, found.beyond, bad)


def _pread(fd: int, size: int, offset: int) -> bytes:
    """Read up to `size` bytes; what the card cannot read any more counts as not there."""
    try:
        return os.pread(fd, size, offset)
    except OSError:
        return b""
