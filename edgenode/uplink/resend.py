"""Batches that a broker acknowledged and the City OS never did: the oldest is sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from edgenode.clock import Clock
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.parcel import Parcel
from edgenode.uplink.poison import Identity

LOOK_MS = 60_000  # how often the oldest is looked at
JITTER = 0.25  # a pause is longer by up to this part of it


class Resends:
    """One outbox's oldest unconfirmed batch, and how long it has been that.

    The pause doubles for as long as it is the same one; it outlives sessions.
    """

    def __init__(
        self, box: Outbox, first_ms: int, max_ms: int, clock: Clock, jitter: Random
    ) -> None:
        self._box = box
        self._first_ms = first_ms
        self._max_ms = max_ms
        self._clock = clock
        self._jitter = jitter
        self._look_ms = 0
        self._oldest: Identity | None = None
        self._pause_ms = first_ms
        self._due_ms = 0

    def due(self, streams: Collection[int]) -> Parcel | None:
        """Return the batch of these streams to send again now, and count it as sent."""
        now = self._clock.boot_ms()
        if now < self._look_ms:
            return None
        self._look_ms = now + LOOK_MS
        sealed = self._box.oldest_unconfirmed(streams) if self._box.unconfirmed() else None
        if sealed is None:
            self._oldest = None
            return None
        parcel = Parcel(self._box, sealed, resend=True)
        if parcel.identity != self._oldest:
            self._oldest = parcel.identity
            self._pause_ms = self._first_ms
            self._plan(now)
            return None
        if now < self._due_ms:
            return None
        self._pause_ms = min(self._max_ms, self._pause_ms * 2)
        self._plan(now)
        return parcel

    def _plan(self, now: int) -> None:
        pause = round(self._pause_ms * (1 + self._jitter.uniform(0, JITTER)))
        self._due_ms = now + pause


def outstanding(boxes: Sequence[Outbox]) -> int:
    """Return how many batches wait for the City OS alone."""
    return sum(box.unconfirmed() for box in boxes)
