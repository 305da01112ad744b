"""Noticing from outside that a bus thread sits in a call of a driver past its budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edgenode.clock import Clock
from edgenode.reading import Event, EventCode, Rung
from edgenode.sensing.job import Sink


class Watch:
    """The mark a bus thread leaves before each call into a driver, and who looks at it.

    A thread in an uninterruptible read cannot report itself, so another one calls `check`. What
    hangs on a bus that is `held`, which was told of as stuck, is not told once more: bus-stuck
    has one bus-recovered, of the same sensor.
    """

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self._sink, self._clock = sink, clock
        self._lock = threading.Lock()
        self._gid: int | None = None
        self._deadline_ms = 0
        self._reported = False
        self.times_stuck = 0
        self.held: int | None = None  # gid of which whoever tells of the wire itself has told
        self.rung = Rung.BY_ITSELF  # what was tried from outside since the bus is stuck

    @contextmanager
    def budget(self, gid: int, budget_s: float) -> Iterator[None]:
        """Bound the block to `budget_s`; it cannot be stopped, only told of."""
        with self._lock:
            self._deadline_ms = self._clock.boot_ms() + int(budget_s * 1000)
            self._gid = gid
        try:
            yield
        finally:
            with self._lock:
                self._gid = None
                if self._reported:
                    self._reported = False
                    if self.held is None:
                        event = Event(EventCode.BUS_RECOVERED, value=int(self.rung))
                        self._sink.event(self._clock.boot_ms(), gid, event)
                    self.rung = Rung.BY_ITSELF

    def check(self) -> bool:
        """Return whether the bus is stuck, and say so once; called by another thread."""
        with self._lock:
            now_ms = self._clock.boot_ms()
            if self._gid is None or now_ms <= self._deadline_ms:
                return False
            if not self._reported:
                self._reported = True
                self.rung = Rung.BY_ITSELF
                self.times_stuck += 1
                if self.held is None:
                    self._sink.event(now_ms, self._gid, Event(EventCode.BUS_STUCK))
            return True

    @property
    def told(self) -> int | None:
        """The gid of which bus-stuck was told and bus-recovered was not; None where all is well."""
        with self._lock:
            if self.held is not None:
                return self.held
            return self._gid if self._reported else None

    @property
    def stuck_since_ms(self) -> int | None:
        """The boot-time at which the budget of the call that hangs was over; None if none does."""
        with self._lock:
            hangs = self._gid is not None and self._clock.boot_ms() > self._deadline_ms
            return self._deadline_ms if hangs else None
