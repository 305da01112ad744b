"""What each MiB of a card was written with, and whether it reads back so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edgenode.flash.card import MIB, Card


class _Piece(NamedTuple):
    """A MiB, or what is left at the end of an image."""

    length: int  # bytes
    digest: bytes  # SHA-256


class Written:
    """Writes to a card and remembers the digest of each MiB."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self._pieces: dict[int, _Piece] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    def write(self, first: int, data: bytes | bytearray) -> None:
        """Write up to 4 MiB from MiB `first` on; raises FlashError."""
        self.card.write(first * MIB, data)
        for n in range(-(-len(data) // MIB)):
            piece = data[n * MIB : (n + 1) * MIB]
            self._pieces[first + n] = _Piece(len(piece), hashlib.sha256(piece).digest())

    def length(self, n: int) -> int:
        """Return how many bytes of MiB `n` were written."""
        return self._pieces[n].length

    def differs(self, n: int, data: bytes) -> bool:
        """Return whether MiB `n` was written with something else."""
        return hashlib.sha256(data).digest() != self._pieces[n].digest

    def read(self, numbers: Iterable[int]) -> Iterator[tuple[int, bytes, bool]]:
        """Read each MiB back: its number, what it holds, and whether that is as it was written.

        Raises FlashError where it cannot be read.
        """
        for n in numbers:
            data = self.card.read(n * MIB, self._pieces[n].length)
            yield n, data, not self.differs(n, data)
