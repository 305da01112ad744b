"""Batches that a broker acknowledged and the City OS never did: the oldest is sent again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from edgenode.clock import Clock
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.parcel import Parcel
from edgenode.uplink.poison import Identity

LOOK_MS = 10_000  # how often the oldest is looked at
PASSED_OVER = 2  # times that a batch is sent again at once, when the City OS has later ones
JITTER = 0.25  # a pause is longer by up to this part of it


class Resends:
    """One outbox's oldest unconfirmed batch, and how long it has been that.

    The pause doubles for as long as it is the same one; it outlives sessions. A batch that the City
    OS passed over, confirming one that was sent later, is lost: it does not wait for its pause.
    (Within a stream the City OS sees the gap itself, and asks.)
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
        self._later: tuple[int, int] | None = None  # stream and seq of one sent after the oldest
        self._at_once = 0

    def acked(self, parcel: Parcel) -> None:
        """Note that a broker took a batch just now."""
        if parcel.box is self._box and self._oldest is not None and self._later is None:
            self._later = parcel.sealed.stream, parcel.sealed.seq

    def due(self, streams: Collection[int]) -> Parcel | None:
        """Return the batch of these streams to send again now, and count it as sent."""
        now = self._clock.boot_ms()
        if now < self._look_ms:
            return None
        self._look_ms = now + LOOK_MS
        sealed = self._box.oldest_unconfirmed(streams) if self._box.unconfirmed() else None
        if sealed is None:
            self._oldest = self._later = None
            return None
        parcel = Parcel(self._box, sealed, resend=True)
        if parcel.identity != self._oldest:
            self._oldest, self._later = parcel.identity, None
            self._at_once = PASSED_OVER
            self._pause_ms = self._first_ms
            self._plan(now)
            return None
        if self._passed_over():
            self._later = None
            self._at_once -= 1
            return parcel
        if now < self._due_ms:
            return None
        self._pause_ms = min(self._max_ms, self._pause_ms * 2)
        self._plan(now)
        return parcel

    def _passed_over(self) -> bool:
        later = self._later
        return bool(self._at_once) and later is not None and self._box.reached(*later) == "city"

    def _plan(self, now: int) -> None:
        pause = round(self._pause_ms * (1 + self._jitter.uniform(0, JITTER)))
        self._due_ms = now + pause


def outstanding(boxes: Sequence[Outbox]) -> int:
    """Return how many batches wait for the City OS alone."""
    return sum(box.unconfirmed() for box in boxes)
