"""The pages of a store as salvage sees them: the file, with the log laid over it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from edgenode.spool.record import LEAF_TABLE
from edgenode.spool.wal import PAGE_SIZE, PAGE_SIZES, WalPages

MAGIC = b"SQLite format 3\0"
CHUNK_PAGES = 1024


class Pages:
    """A store and its log, open for reading. Pages are numbered from 1, as SQLite does.

    `read` counts the pages looked at, `unreadable` those that the card would not give or that
    the file ends within. Raises OSError only where the store cannot be opened at all.
    """

    def __init__(self, store: Path, wal_path: Path, wal: WalPages) -> None:
        self.read = self.unreadable = 0
        with ExitStack() as stack:
            self._store = os.open(store, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, self._store)
            self._wal = -1
            if wal.page_size:
                self._wal = os.open(wal_path, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, self._wal)
            self._close = stack.pop_all()
        self.size, self.usable = self._geometry(wal)
        self._file_bytes = os.fstat(self._store).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._close.close()

    def _geometry(self, wal: WalPages) -> tuple[int, int]:
        """(page size, usable bytes of a page), from the header while it is one."""
        head = _pread(self._store, 100, 0) or b""
        size = int.from_bytes(head[16:18])
        size = 65536 if size == 1 else size
        if head[:16] == MAGIC and size in PAGE_SIZES:
            return size, size - head[20]
        size = wal.page_size or PAGE_SIZE
        return size, size

    def count(self, overlay: Mapping[int, int]) -> int:
        """Return how many pages there are, in the file or in the log."""
        return max(-(-self._file_bytes // self.size), *overlay, 0)

    def fetch(self, number: int, overlay: Mapping[int, int]) -> bytes | None:
        """Return one page, from the log where `overlay` places it there; None if there is none."""
        if number in overlay:
            return self._whole(_pread(self._wal, self.size, overlay[number]))
        offset = (number - 1) * self.size
        if not 0 <= offset < self._file_bytes:
            return None
        return self._whole(_pread(self._store, self.size, offset))

    def leaves(self, overlay: Mapping[int, int]) -> Iterator[bytes]:
        """Yield every page that is a leaf of a table, or was one before it was given back."""
        for number in sorted(overlay):
            page = self.fetch(number, overlay)
            self.read += 1
            if page is not None and page[0] == LEAF_TABLE:
                yield page
        last = -(-self._file_bytes // self.size)
        for first in range(1, last + 1, CHUNK_PAGES):
            yield from self._leaves_of(first, min(CHUNK_PAGES, last + 1 - first), overlay)

    def _leaves_of(self, first: int, count: int, overlay: Mapping[int, int]) -> Iterator[bytes]:
        """Yield the leaves of one chunk, read page by page where it cannot be read whole."""
        size = self.size
        chunk = _pread(self._store, count * size, (first - 1) * size)
        self.read += count
        if chunk is None or len(chunk) < count * size:
            pages = (self.fetch(first + n, overlay) or bytes(size) for n in range(count))
            chunk = b"".join(pages)
        kinds = chunk[::size]
        index = kinds.find(LEAF_TABLE)
        while index >= 0:
            if first + index not in overlay:
                yield chunk[index * size : (index + 1) * size]
            index = kinds.find(LEAF_TABLE, index + 1)

    def _whole(self, page: bytes | None) -> bytes | None:
        """Fill up a page that the file ends within; count what is missing."""
        if page is None or len(page) < self.size:
            self.unreadable += 1
        return None if page is None else page.ljust(self.size, b"\0")


def _pread(fd: int, size: int, offset: int) -> bytes | None:
    """Read bytes; None where the card cannot read them any more."""
    try:
        return os.pread(fd, size, offset)
    except OSError:
        return None
