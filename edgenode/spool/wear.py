"""What was written to the card: by this process, and over the life of the spool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cbor2

from edgenode.errors import SpoolError
from edgenode.spool.rows import MALFORMED

_IO = Path("/proc/self/io")


class Wear:
    """A total that rides in the store's transactions: a crash costs what came after the last.

    What a process writes is counted for the spool it serves, and not for those that drain beside.
    """

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self._fallback: Callable[[], int] | None = None

    def begin(self, fallback: Callable[[], int]) -> None:
        """Count for this process; `fallback` gives its bytes where /proc is missing."""
        self._fallback = fallback

    def written(self) -> int:
        """Return what this process gave the block layer to write; it writes for the spool alone."""
        if self._fallback is None:
            return 0
        try:
            for line in _IO.read_text(encoding="ascii").splitlines():
                if line.startswith("write_bytes:"):
                    return int(line.split()[1])
        except OSError:
            pass
        return self._fallback()

    def lifetime(self) -> int:
        """Return the bytes written over the life of the spool."""
        return self._before + self.written()

    def dump(self) -> bytes:
        """Return the total as it stands in the store."""
        return cbor2.dumps(self.lifetime())

    @classmethod
    def load(cls, data: bytes) -> Wear:
        """Return the total of `dump`; raises SpoolError when it is none."""
        try:
            return cls(int(cbor2.loads(data)))
        except MALFORMED as error:
            raise SpoolError(f"the record of wear is not readable: {error}") from error
