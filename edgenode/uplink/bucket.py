"""The token bucket that keeps a node's backlog from flooding its broker."""

from __future__ import annotations

import math

from edgenode.clock import Clock


class TokenBucket:
    """`per_s` tokens a second, at most one second's worth (and never less than one) in store."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._per_s = self._most_per_s = per_s
        self._clock = clock
        self._tokens = self._full = max(1.0, per_s)
        self._filled_ms = clock.boot_ms()

    def available(self, limit: int) -> int:
        """Return how many tokens can be spent now, at most `limit`."""
        now = self._clock.boot_ms()
        gained = (now - self._filled_ms) * self._per_s / 1000 if now > self._filled_ms else 0.0
        self._tokens = min(self._full, self._tokens + gained)
        self._filled_ms = now
        return min(limit, math.floor(self._tokens)) if math.isfinite(self._tokens) else limit

    def pace(self, per_s: float) -> None:
        """Go on at this rate, but never at more than the first one."""
        per_s = min(per_s, self._most_per_s)
        if per_s != self._per_s:
            self.available(0)
            self._per_s, self._full = per_s, max(1.0, per_s)
            self._tokens = min(self._tokens, self._full)

    def spend(self, tokens: int) -> None:
        """Take tokens out; the caller asked `available` before."""
        self._tokens -= tokens

    def wait_ms(self) -> int:
        """Return how long until one token can be spent."""
        lacking = 1.0 - self._tokens
        return math.ceil(lacking / self._per_s * 1000) if lacking > 0 else 0
