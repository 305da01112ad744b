"""Batches that a broker refused or nobody heard: kept, and tried again slowly."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from edgenode.clock import Clock
from edgenode.uplink.parcel import Parcel

RETRY_MS = 30_000  # doubles with each refusal of the batch
RETRY_MAX_MS = 600_000
SLOW_MS = 1_000  # a broker over its quota gets nothing new for so long; doubles
SLOW_MAX_MS = 60_000
PLACES = 20  # as many as can be in flight; when all are taken, nothing new is sent


class Parking:
    """A bounded place for batches in flight that were answered, but not with an ack."""

    def __init__(self, clock: Clock, jitter: Random) -> None:
        self._clock = clock
        self._jitter = jitter
        self._parked: list[tuple[int, Parcel]] = []  # (due, parcel)
        self._slow_ms = SLOW_MS
        self._slow_until_ms = 0

    def __len__(self) -> int:
        return len(self._parked)

    @property
    def closed(self) -> bool:
        """Nothing new may be sent: too much is parked, or the broker asked for slowness."""
        return len(self._parked) >= PLACES or self._clock.boot_ms() < self._slow_until_ms

    def park(self, parcel: Parcel) -> None:
        """Keep a batch until its pause, longer each time, is over."""
        parcel.retry_ms = min(RETRY_MAX_MS, parcel.retry_ms * 2 or RETRY_MS)
        wait = round(parcel.retry_ms * self._jitter.uniform(0.75, 1.25))
        self._parked.append((self._clock.boot_ms() + wait, parcel))

    def slow_down(self) -> None:
        """Take a broker's word that its quota is used up; many at a time are one word."""
        now = self._clock.boot_ms()
        if now < self._slow_until_ms:
            return
        self._slow_until_ms = now + self._slow_ms
        self._slow_ms = min(SLOW_MAX_MS, self._slow_ms * 2)

    def keep(self, streams: Collection[int]) -> None:
        """Give back what waits here of other streams: it takes no places from them."""
        others = [parked for parked in self._parked if parked[1].sealed.stream not in streams]
        for parked in others:
            self._parked.remove(parked)
            parked[1].release()

    def due(self) -> Parcel | None:
        """Take out one batch whose pause is over."""
        now = self._clock.boot_ms()
        if now < self._slow_until_ms:
            return None
        for place, (due, parcel) in enumerate(self._parked):
            if due <= now:
                del self._parked[place]
                return parcel
        return None

    def heard(self) -> None:
        """Note that the City OS is there: what nobody heard before is tried now."""
        now = self._clock.boot_ms()
        self._parked = [
            (min(due, now) if parcel.unheard else due, parcel) for due, parcel in self._parked
        ]

    def back(self, parcel: Parcel) -> None:
        """Put back one that could not be sent at this moment."""
        self._parked.insert(0, (self._clock.boot_ms(), parcel))

    def accepted(self, parcel: Parcel) -> None:
        """Note that a batch got through; when it was a parked one, try the others now too.

        A fresh batch that passes says nothing about them: the broker may mean just these.
        """
        self._slow_ms = SLOW_MS
        if parcel.retry_ms:
            now = self._clock.boot_ms()
            self._parked = [(min(due, now), other) for due, other in self._parked]
