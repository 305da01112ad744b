"""The clocks of a simulated node: boot-time of its own that drifts, and a wall clock that errs."""

from __future__ import annotations

import time
from random import Random

from edgenode.clock import Told
from edgenode.reading import ClockSource

DRIFT_PPM = 50  # of a crystal, either way: the bound that edge-batch v1 reckons with
UPTIME_MS = 30 * 86_400_000  # a node has run for at most so long
UNSURE = 10  # one node in so many has a clock that nobody vouches for
LEAST_ERR_MS = 5  # what NTP claims at best


class SkewedClock(Told):
    """A Clock that tells the time of one node of a fleet, drawn by `chance`.

    What NTP claims covers the error that there is.
    """

    def __init__(self, chance: Random, most_error_ms: int, name: str) -> None:
        self._name = name
        self._ppm = chance.randint(-DRIFT_PPM, DRIFT_PPM)
        self._start_ms = chance.randint(60_000, UPTIME_MS)
        self._began_ns = time.monotonic_ns()
        self._wrong_ms = chance.randint(-most_error_ms, most_error_ms)
        self._vouched = chance.randrange(UNSURE) > 0

    def boot_ms(self) -> int:
        passed = time.monotonic_ns() - self._began_ns
        return self._start_ms + passed * (1_000_000 + self._ppm) // 1_000_000_000_000

    def true_ms(self) -> int:
        """Return POSIX ms of this machine, which are held to be true."""
        return time.time_ns() // 1_000_000

    def utc_ms(self) -> int:
        return self.true_ms() + self._wrong_ms

    def sync(self) -> tuple[int, int]:
        if self._vouched:
            return ClockSource.NTP, abs(self._wrong_ms) + LEAST_ERR_MS
        return ClockSource.NONE, 0

    def boot_id(self) -> str:
        return self._name
