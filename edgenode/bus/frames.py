"""Frames out of a stream of bytes that begins anywhere, loses bytes and gains bytes.

A frame is a header, a length and a checksum. Where one of the three is wrong only the first byte
is given up and the search begins anew with the next one: whole frames that lie behind, or inside
what looked like a frame, are all found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Shape(NamedTuple):
    """What the frames of one protocol look like."""

    header: bytes
    head_bytes: int  # so many are needed to know the size; no fewer than the header
    size: Callable[[bytes], int]  # of a whole frame, by its head; 0 where there is none such
    proved: Callable[[bytes], bool]  # whether the checksum of a whole frame holds


class Frames:
    """Cuts a stream of one shape into frames.

    What it keeps between calls is shorter than the longest frame.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._kept = bytearray()

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the frames that are whole now, oldest first."""
        self._kept += data
        frames = []
        while (frame := self._first()) is not None:
            frames.append(frame)
        return frames

    def clear(self) -> None:
        """Forget the beginning of a frame, if there is one."""
        self._kept.clear()

    def _first(self) -> bytes | None:
        """Take the first proved frame, with what lies before it; None where none is whole."""
        shape = self._shape
        while True:
            self._skip()
            if len(self._kept) < shape.head_bytes:
                return None
            size = shape.size(bytes(self._kept[: shape.head_bytes]))
            if len(self._kept) < size:
                return None
            frame = bytes(self._kept[:size])
            if frame and shape.proved(frame):
                del self._kept[:size]
                return frame
            del self._kept[:1]

    def _skip(self) -> None:
        """Drop what stands before the next header, or before what may be the start of one."""
        at = self._kept.find(self._shape.header)
        if at < 0:
            at = max(0, len(self._kept) - len(self._shape.header) + 1)
        del self._kept[:at]
