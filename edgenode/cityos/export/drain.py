"""From the outbox to one exporter: page by page, the cursor moved only behind what was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from edgenode.cityos.export.places import Places
from edgenode.cityos.export.web import Failing
from edgenode.cityos.outbox import Outbox, Reading
from edgenode.cityos.store import SinkAway
from edgenode.reading import Privacy, Stream

IDLE_S = 1.0  # between two looks at an outbox that was empty
AGAIN_S = 10.0  # before another try where sink or platform failed


class Exporter(Protocol):
    """One platform, or one file."""

    def send(self, readings: Sequence[Reading]) -> None:
        """Return when all readings are taken or kept aside; raises Halted or CityError."""


class Drain:
    """Hands on what may leave: measurements, of channels no more private than is allowed."""

    def __init__(
        self,
        outbox: Outbox,
        places: Places,
        exporter: Exporter,
        report: Callable[[str], None],
        most_private: Privacy = Privacy.OPEN,
    ) -> None:
        self._outbox = outbox
        self._places = places
        self._exporter = exporter
        self._report = report
        self._most_private = most_private
        self._lost = 0
        self._begun = False

    def step(self) -> int:
        """Hand one page on; return how many readings were in it, -1 where there was no page."""
        if not self._begun:
            self._outbox.commit(0)  # from here on it keeps what this exporter has not read
            self._begun = True
        page = self._outbox.read()
        if page.lost > self._lost:
            self._report(f"{page.lost} batches were given up before they were exported")
        self._lost = page.lost
        if not page.position:
            return -1
        self._places.refresh()
        readings = [one for one in page.readings if self._may_leave(one)]
        self._exporter.send(readings)
        self._outbox.commit(page.position)
        return len(readings)

    def run(self, stopped: Callable[[float], bool], *, once: bool = False) -> int:
        """Hand on until stopped, or `once` until nothing is left; return how many readings.

        Where the sink is away or the platform fails, the page is handed on again; `once` raises
        SinkAway or Failing instead.
        """
        count, told = 0, ""
        while not stopped(0):
            try:
                taken = self.step()
            except (SinkAway, Failing) as exc:
                if once:
                    raise
                if str(exc) != told:
                    told = str(exc)
                    self._report(told)
                if stopped(AGAIN_S):
                    break
                continue
            told = ""
            if taken < 0 and (once or stopped(IDLE_S)):
                break
            count += max(0, taken)
        return count

    def _may_leave(self, reading: Reading) -> bool:
        """Tell whether anybody but the operator may see it; what nobody described stays here."""
        if reading.stream != Stream.TELEMETRY:
            return False
        channel = self._places.channel(reading.node, reading.channel)
        return channel is not None and channel.privacy <= self._most_private
