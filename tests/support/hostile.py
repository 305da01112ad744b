"""Streams that no honest part sends, on a port that never runs dry until they end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from tests.support.beds import Cable

SHARE: Final = 250_000  # bytes of each kind: a million together
LUMP: Final = 4096  # what a port gives at once

Stream = Iterator[bytes]


def noise(_: bytes, chance: random.Random) -> Stream:
    """Yield random bytes."""
    for _n in range(0, SHARE, LUMP):
        yield chance.randbytes(LUMP)


def truncated(frame: bytes, chance: random.Random) -> Stream:
    """Yield the part's own frames, each of them cut short, at another place each time."""
    yield from _lumps(lambda: frame[: chance.randrange(1, max(2, len(frame)))])


def endless(frame: bytes, chance: random.Random) -> Stream:
    """Yield one frame's beginning, then one byte of it for ever: no frame ends."""
    yield frame[: len(frame) // 2]
    byte = bytes((chance.choice(frame),))
    yield from _lumps(lambda: byte * 64)


def _lumps(piece: Callable[[], bytes]) -> Stream:
    sent = 0
    while sent < SHARE:
        lump = b"".join(piece() for _ in range(8))
        sent += len(lump)
        yield lump


class HostilePort(Cable):
    """A cable to an honest part, until somebody else is heard on it in its stead."""

    def __init__(self, honest: Cable) -> None:
        super().__init__(honest.bed, honest.instrument, honest.line)
        self._hostile: Stream | None = None
        self._rest = b""
        self.over = False  # all of it was heard; the line is dead then

    def taken_over(self, hostile: Stream) -> None:
        """Let nothing through but this."""
        self._hostile, self._rest, self.over = hostile, b"", False

    def arrived(self) -> bytes:
        return self._next(LUMP) if self._hostile else super().arrived()

    def receive(self, size: int, timeout_s: float) -> bytes:
        if not self._hostile:
            return super().receive(size, timeout_s)
        data = self._next(size)
        if len(data) < size:
            self.bed.sleep(timeout_s)
        return data

    def write(self, data: bytes) -> None:
        if not self._hostile:
            super().write(data)

    def discard(self) -> None:
        if self._hostile:
            self._next(LUMP)
        else:
            super().discard()

    def _next(self, size: int) -> bytes:
        """Return what comes next; each byte takes its time on the line."""
        assert self._hostile is not None
        while len(self._rest) < size and not self.over:
            lump = next(self._hostile, b"")
            self.over = not lump
            self._rest += lump
        data, self._rest = self._rest[:size], self._rest[size:]
        self.bed.sleep(10 * len(data) / self.line.baud)
        return data
