"""A spool that had to live in memory: once the disk is well, the daemon starts anew on it.

Where no disk could be used at the start, samples are kept in memory only, under a spool id that
ends with the process. Nothing there is durable, so the sooner that is over the better; but what is
held and not confirmed would be given up, so the daemon leaves only when all of it has arrived.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from edgenode.clock import Clock

LOOK_MS: Final = 60_000
ROOM_BYTES: Final = 2 << 20  # the journal takes 1 MiB; a store begins with less


class Refuge:
    """Looks once a minute whether the directory of the spool can be used. For the main thread."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory, self._clock = directory, clock
        self._look_ms = clock.boot_ms() + LOOK_MS

    def over(self, held_batches: int) -> bool:
        """Return whether the daemon may leave its refuge now."""
        if held_batches or self._clock.boot_ms() < self._look_ms:
            return False
        self._look_ms = self._clock.boot_ms() + LOOK_MS
        return usable(self._directory)


def usable(directory: Path) -> bool:
    """Return whether a spool could begin in this directory, by writing and flushing its size."""
    trial = directory / "trial"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with trial.open("wb") as file:
            file.write(bytes(ROOM_BYTES))
            file.flush()
            os.fdatasync(file.fileno())
    except OSError:
        return False
    finally:
        _removed(trial)
    return True


def _removed(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
