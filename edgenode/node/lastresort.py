"""The last rungs of the recovery ladder: the daemon, then the machine, is started anew.

Only a read that does not return is worth that: a thread that hangs in the kernel ends with the
process, or with the machine. Everything less is helped by the rungs of the bus itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from edgenode.clock import Clock
from edgenode.config import RecoveryTable
from edgenode.node.statefile import replaced, text_of
from edgenode.reading import Rung

PATIENCE_MS: Final = 600_000  # a bus is stuck so long, and its own rungs have been tried
A_DAY_MS: Final = 86_400_000
A_DAY_MOST: Final = 3
RUNGS: Final = (Rung.RESTART, Rung.REBOOT)
KEPT: Final = len(RUNGS) * A_DAY_MOST


class Stuck(NamedTuple):
    """A bus whose read does not return, and for how long it has not."""

    bus: str
    for_ms: int


class Why(IntEnum):
    """For whose sake a last rung is used."""

    BUS = 0  # a read does not return
    DISK = 1  # it can be used again, and the spool lives in memory


class Taken(NamedTuple):
    """One use of a last rung, as the file remembers it."""

    rung: int
    why: int
    boot: str
    boot_ms: int
    utc_ms: int


class LastResort:
    """Decides, and remembers across restarts and reboots what it decided.

    At most three restarts and three reboots in 24 hours. Where the file cannot be written nothing
    is done: what cannot be counted cannot be bounded.
    """

    def __init__(self, path: Path, clock: Clock, allowed: RecoveryTable) -> None:
        self._path, self._clock = path, clock
        self.allow(allowed)
        self._taken = _read(path)

    def allow(self, allowed: RecoveryTable) -> None:
        """Take up what the operator allows."""
        self._allowed = {Rung.RESTART: allowed.restart, Rung.REBOOT: allowed.reboot}

    def wanted(self, stuck: Iterable[Stuck]) -> Rung | None:
        """Return what to do about buses that have been stuck for too long; None for nothing.

        A restart comes first; where the same boot has seen one in vain, the machine follows.
        """
        if not any(bus.for_ms >= PATIENCE_MS for bus in stuck):
            return None
        boot = self._clock.boot_id()
        for_bus = (Rung.RESTART, Why.BUS)
        tried = any(t.boot == boot and (t.rung, t.why) == for_bus for t in self._recent())
        order = (Rung.REBOOT,) if tried else (Rung.RESTART, Rung.REBOOT)
        return next((rung for rung in order if self._left(rung) > 0), None)

    def take(self, rung: Rung, why: Why) -> bool:
        """Write down that `rung` is about to be used; False where it must not be."""
        if self._left(rung) <= 0:
            return False
        clock = self._clock
        now = Taken(int(rung), int(why), clock.boot_id(), clock.boot_ms(), clock.utc_ms())
        rows = [*self._taken, now][-KEPT:]
        if not replaced(self._path, json.dumps([list(row) for row in rows]) + "\n"):
            return False
        self._taken = rows
        return True

    def used(self) -> dict[str, int]:
        """Return how often each rung was used in the last 24 hours."""
        recent = self._recent()
        return {rung.word: sum(t.rung == rung for t in recent) for rung in RUNGS}

    def _left(self, rung: Rung) -> int:
        if not self._allowed[rung]:
            return 0
        return A_DAY_MOST - sum(taken.rung == rung for taken in self._recent())

    def _recent(self) -> list[Taken]:
        """Return what was used in the last 24 hours, or may have been.

        Of this boot boot-time tells; of an earlier one only the wall clock, and one that was set
        back since makes an entry seem to lie ahead: it counts.
        """
        boot, now, utc = self._clock.boot_id(), self._clock.boot_ms(), self._clock.utc_ms()
        return [
            taken
            for taken in self._taken
            if (now - taken.boot_ms if taken.boot == boot else utc - taken.utc_ms) < A_DAY_MS
        ]


def _read(path: Path) -> list[Taken]:
    """Return what the file remembers; a file that is none of ours remembers nothing."""
    try:
        rows: Any = json.loads(text_of(path) or "[]")
        return [
            Taken(int(rung), int(why), str(boot), int(boot_ms), int(utc_ms))
            for rung, why, boot, boot_ms, utc_ms in rows[-KEPT:]
        ]
    except (ValueError, TypeError, KeyError):
        return []
