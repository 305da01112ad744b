"""Totals that a part keeps by itself, such as the energy of a meter: one that goes back is told."""

from __future__ import annotations

import math
from typing import Final

from edgenode.driver import Driver
from edgenode.reading import Event, EventCode, Group, Kind, Quality, Sample, Total
from edgenode.sensing.job import Sink
from edgenode.sensing.totals import ResetReason, unwatched_ms

MOST: Final = 1 << 50  # what travels as an integer is smaller; docs/wire-format.md, "Values"


class Standing:
    """The counters of one sensor that go on whatever becomes of us.

    The last of each is a durable total, so a meter that was exchanged while it was lost, or while
    the node was off, is noticed. A smaller one is held back once as a fault, since a slip of the
    part would look the same; if the next read says so too it is believed, and told. After a
    reboot it is believed at once: what the kernel counts begins anew then, and a part that woke
    up with the node has long found its totals.
    """

    def __init__(self, group: Group, sink: Sink) -> None:
        self._group, self._sink = group, sink
        self._indexes: tuple[int, ...] = ()
        self._doubted: set[int] = set()
        for channel in group.channels:
            if channel.kind is Kind.COUNTER:
                sink.total(channel.name)  # where room is short, what nobody asks for is forgotten

    def opened(self, driver: Driver) -> None:
        """Take note which counters the part keeps."""
        self._indexes = tuple(
            index
            for index, channel in enumerate(driver.measures())
            if channel.kind is Kind.COUNTER and channel.name not in driver.since_open
        )

    def judged(self, sample: Sample, now_ms: int) -> Sample:
        """Return the sample without totals that are doubted, and with what is to be told."""
        held: set[int] = set()
        events: list[Event] = []
        for index in self._indexes:
            total = self._total(sample, index)
            if total is None:
                continue
            channel = self._group.channels[index]
            known = self._sink.total(channel.name)
            if known and total < known.value and not channel.modulus:  # with one, it has wrapped
                if self._may_be_a_slip(index, known):
                    held.add(index)
                    continue
                gap_ms = unwatched_ms(known, self._sink, now_ms)
                value = (known.value, total, gap_ms, int(ResetReason.WENT_BACK))
                events.append(Event(EventCode.COUNTER_RESET, index, value))
            self._doubted.discard(index)
            self._sink.set_total(channel.name, total, now_ms)
        return _without(sample, held, events) if held or events else sample

    def _total(self, sample: Sample, index: int) -> int | None:
        """Return a total in steps of its resolution; None where it is no good number."""
        value, channel = sample.values[index], self._group.channels[index]
        if value is None or not math.isfinite(value):
            return None
        if sample.quality and sample.quality[index] is not Quality.OK:
            return None
        total = round(value / 10.0**channel.scale)
        if abs(total) >= MOST:
            return None
        return total % channel.modulus if channel.modulus else total

    def _may_be_a_slip(self, index: int, known: Total) -> bool:
        if index in self._doubted or known.epoch != self._sink.epoch:
            return False
        self._doubted.add(index)
        return True


def _without(sample: Sample, held: set[int], events: list[Event]) -> Sample:
    given = sample.quality or (Quality.OK,) * len(sample.values)
    values = tuple(None if n in held else value for n, value in enumerate(sample.values))
    quality = tuple(Quality.FAULT if n in held else q for n, q in enumerate(given))
    fine = all(q is Quality.OK for q in quality)
    return Sample(values, () if fine else quality, (*sample.events, *events))
