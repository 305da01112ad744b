"""Lines out of a stream of bytes: what ASCII instruments say, one after another."""

from __future__ import annotations

from typing import Final

LINE_MOST: Final = 256  # bytes; what goes on for longer is no line of any instrument here


class Lines:
    """Cuts a stream into lines that end with LF, CR or both.

    It begins anywhere: what stands before the first end of a line is dropped. A line that is
    longer than `most` bytes is dropped up to its end. What is kept between calls is no longer
    than that.
    """

    def __init__(self, most: int = LINE_MOST) -> None:
        self._most = most
        self._kept = bytearray()
        self._dropping = True

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the lines that ended, without their ends and the empty ones."""
        *ended, rest = data.replace(b"\r", b"\n").split(b"\n")
        lines = []
        for part in ended:
            self._take(part)
            if self._kept and not self._dropping:
                lines.append(bytes(self._kept))
            self._kept.clear()
            self._dropping = False
        self._take(rest)
        return lines

    def clear(self) -> None:
        """Forget the beginning of a line; what comes next may be the rest of it."""
        self._kept.clear()
        self._dropping = True

    def _take(self, part: bytes) -> None:
        if self._dropping:
            return
        self._kept += part
        if len(self._kept) > self._most:
            self.clear()
