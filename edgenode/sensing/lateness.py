"""How late reads begin, in bounded memory."""

from __future__ import annotations

BUCKETS = 1001  # one a millisecond; the last one holds a second and more
RECENT = 65_536  # after so many the counts are halved, so that the past fades


class Lateness:
    """A histogram of milliseconds between a slot and the beginning of its read."""

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS
        self._n = 0

    def note(self, late_ms: int) -> None:
        self._counts[min(late_ms, BUCKETS - 1)] += 1
        self._n += 1
        if self._n >= RECENT:
            self._counts = [count // 2 for count in self._counts]
            self._n = sum(self._counts)

    def counts(self) -> list[int]:
        """Return a copy: how many reads began n ms late, for n from 0 to 1000 and more."""
        return list(self._counts)

    def quantile(self, q: float) -> int:
        """Return the least ms that at least a share `q` of the reads kept; 0 before the first."""
        return quantile(self._counts, q)


def quantile(counts: list[int], q: float) -> int:
    """Return the least index up to which at least a share `q` of all counts lies."""
    wanted, so_far = q * sum(counts), 0
    for ms, count in enumerate(counts):
        so_far += count
        if count and so_far >= wanted:
            return ms
    return 0
