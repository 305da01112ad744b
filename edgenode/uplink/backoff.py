"""When to try again: full jitter, so that a city of nodes does not come back in one second."""

from __future__ import annotations

import hashlib
from random import Random


def phase(node: bytes) -> Random:
    """Return the node's own source of jitter: the same for one node, different between nodes."""
    return Random(hashlib.sha256(node).digest())  # noqa: S311 - spreads load, keeps no secret


class Backoff:
    """Delays drawn evenly from 0 to a ceiling that doubles with every failure."""

    def __init__(self, first_ms: int, max_ms: int, jitter: Random) -> None:
        self._first_ms = first_ms
        self._max_ms = max_ms
        self._jitter = jitter
        self._ceiling_ms = first_ms

    def reset(self) -> None:
        """Begin again at the first ceiling."""
        self._ceiling_ms = self._first_ms

    def next_ms(self) -> int:
        """Return the next delay in ms."""
        ceiling = self._ceiling_ms
        self._ceiling_ms = min(self._max_ms, ceiling * 2)
        return round(self._jitter.uniform(0, ceiling))
