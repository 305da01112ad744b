"""How fast the store fills, by what was sealed over the last hours."""

from __future__ import annotations

from collections import deque

STEP_MS = 600_000  # a sample of the count this often
SAMPLES = 36  # the rate is that of the last six hours
DAY_MS = 86_400_000


class Rate:
    """Samples of a count that grows. Used by the spool thread; `per_day` by any."""

    def __init__(self, now_ms: int) -> None:
        self._samples = deque([(now_ms, 0)], maxlen=SAMPLES + 1)

    def note(self, now_ms: int, count: int) -> None:
        """Take a sample where one is due."""
        if now_ms - self._samples[-1][0] >= STEP_MS:
            self._samples.append((now_ms, count))

    def per_day(self) -> int | None:
        """Return how much it grows in a day; None in the first ten minutes."""
        (begun, before), (until, count) = self._samples[0], self._samples[-1]
        return (count - before) * DAY_MS // (until - begun) if until > begun else None
