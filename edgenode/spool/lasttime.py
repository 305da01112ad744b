"""The latest time that a spool directory knows of, for setting a clock that lost its power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgenode.spool.block import BLOCK, decode_block

MOST_BLOCKS: Final = 1_024  # 4 MiB, where a journal has 1; what is behind that is none of it


def last_utc_ms(directory: Path, believed_ms: int | None = None) -> int | None:
    """Return the latest POSIX ms in the journals under `directory`; None when there is none.

    It is a lower bound of the time now; what is later than `believed_ms` is left out. Reads only,
    needs no lock, and may run beside a spool. What cannot be read tells nothing.
    """
    latest = 0
    for path in directory.glob("*/journal"):
        for data in _blocks(path):
            block = decode_block(data)
            if block and (believed_ms is None or block.status.utc <= believed_ms):
                latest = max(latest, block.status.utc)
    return latest or None


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for _ in range(MOST_BLOCKS):
                data = file.read(BLOCK)
                if len(data) < BLOCK:
                    return
                yield data
    except OSError:  # a bad sector ends what this journal can tell
        return
