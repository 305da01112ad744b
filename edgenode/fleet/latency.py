"""How long readings took, as a histogram that can be added to others and sent on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

STEP = math.log(1.05)  # buckets grow by 5 %: a quantile is off by that at most


class Latencies:
    """Counts of readings by bucket of ms."""

    def __init__(self) -> None:
        self.counts = Counter[int]()

    def add(self, ms: float, readings: int) -> None:
        """Count so many readings that took so long."""
        self.counts[int(math.log(max(1.0, ms)) / STEP)] += readings

    def merge(self, counts: Mapping[int, int]) -> None:
        """Add what another has counted."""
        self.counts.update(counts)

    def take(self) -> dict[int, int]:
        """Return the counts, and begin anew."""
        taken, self.counts = dict(self.counts), Counter()
        return taken

    def quantile(self, share: float) -> int | None:
        """Return the ms within which this share of all readings was; None of nothing."""
        rank = share * self.counts.total()
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return round(math.exp((bucket + 1) * STEP))
        return None
