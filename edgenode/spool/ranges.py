"""A set of integers kept as disjoint ranges: acks, and what was taken, are mostly contiguous."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Ranges:
    """Disjoint inclusive ranges in ascending order; neighbours are joined."""

    def __init__(self) -> None:
        self._from: list[int] = []
        self._to: list[int] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._from, self._to, strict=True)))

    def __bool__(self) -> bool:
        return bool(self._from)

    def __contains__(self, value: int) -> bool:
        return self.covers(value, value)

    def count(self) -> int:
        """Return how many integers are in the set."""
        return sum(self._to) - sum(self._from) + len(self._from)

    def covers(self, low: int, high: int) -> bool:
        """Tell whether every integer of low..high is in the set (true for an empty range)."""
        at = bisect_right(self._from, low) - 1
        return high < low or (at >= 0 and self._to[at] >= high)

    def meets(self, low: int, high: int) -> bool:
        """Tell whether any integer of low..high is in the set."""
        at = bisect_left(self._to, low)
        return at < len(self._from) and self._from[at] <= high

    def add(self, low: int, high: int) -> None:
        """Put low..high into the set."""
        first = bisect_left(self._to, low - 1)
        last = bisect_right(self._from, high + 1)
        if first < last:
            low, high = min(low, self._from[first]), max(high, self._to[last - 1])
        self._from[first:last] = [low]
        self._to[first:last] = [high]

    def remove(self, low: int, high: int) -> None:
        """Take low..high out of the set."""
        first = bisect_left(self._to, low)
        last = bisect_right(self._from, high)
        if first >= last:
            return
        pieces = [(self._from[first], low - 1), (high + 1, self._to[last - 1])]
        kept = [piece for piece in pieces if piece[0] <= piece[1]]
        self._from[first:last] = [piece[0] for piece in kept]
        self._to[first:last] = [piece[1] for piece in kept]
