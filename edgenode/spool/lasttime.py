"""The latest time that a spool directory knows of, for setting a clock that lost its power."""

from __future__ import annotations

from pathlib import Path

from edgenode.spool.block import BLOCK, decode_block


def last_utc_ms(directory: Path) -> int | None:
    """Return the latest POSIX ms in the journals under `directory`; None when there is none.

    It is a lower bound of the time now. Reads only, needs no lock, and may run beside a spool.
    """
    latest = None
    for path in directory.glob("*/journal"):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        for at in range(0, len(data) - BLOCK + 1, BLOCK):
            block = decode_block(data[at : at + BLOCK])
            if block and block.status.utc > (latest or 0):
                latest = block.status.utc
    return latest
