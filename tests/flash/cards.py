"""Cards that are files: they remember what was asked of them, and fail as real ones do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgenode.flash import Card
from tests.flash.images import MIB

OLD = b"\x33" * 510 + b"\x55\xaa"  # the first sector of a card that was used before


class FileCard(Card):
    """A card in a file; `asked` lists each operation and where it was."""

    def __init__(self, path: Path, fd: int, size: int) -> None:
        super().__init__("sdx", fd, size)
        self.path = path
        self.asked: list[tuple[str, int]] = []
        self.pulled_after = 1 << 60  # operations
        self.deaf = False  # takes no write, and does not say so
        self.ends = 1 << 60  # where it really ends, whatever it says
        self.flips: set[int] = set()  # MiB in which a bit is read wrong

    def _write(self, offset: int, data: memoryview) -> int:
        self._ask("write", offset)
        if self.deaf or offset >= self.ends:
            return len(data)
        return super()._write(offset, data)

    def _read(self, offset: int, into: memoryview) -> int:
        self._ask("read", offset)
        got = super()._read(offset, into)
        if offset // MIB in self.flips:
            into[got // 2] ^= 1
        return got

    def _flush(self) -> None:
        self._ask("flush", 0)

    def _ask(self, what: str, offset: int) -> None:
        self.asked.append((what, offset))
        if len(self.asked) > self.pulled_after:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@contextmanager
def file_card(path: Path, size: int) -> Iterator[FileCard]:
    """A card of this size that was used before."""
    with path.open("wb") as file:
        file.truncate(size)
        file.write(OLD)
    with FileCard(path, os.open(path, os.O_RDWR), size) as card:
        yield card


def has_table(path: Path) -> bool:
    """Return whether a card begins with the sign of a partition table."""
    with path.open("rb") as file:
        return file.read(512)[510:] == b"\x55\xaa"
