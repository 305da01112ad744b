"""Counters that begin at 0 whenever their driver opens, carried on as durable totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from edgenode.driver import Counting, Driver
from edgenode.reading import Channel, Event, EventCode, Group, Sample, Total, Weighed
from edgenode.sensing.channels import quantity
from edgenode.sensing.job import Sink

UNKNOWN_MS = -1  # a node that was off cannot say for how long


class ResetReason(IntEnum):
    """Why a counter does not go on from where it was; the fourth value of counter-reset."""

    RESTART = 1  # the daemon was started anew within the same boot
    REBOOT = 2
    REOPENED = 3  # the sensor was lost and came back
    # Of a total that the part keeps by itself:
    WENT_BACK = 4  # it is smaller than it was: exchanged or set back, nobody knows which
    ROLLED_OVER = 5  # its digits were used up, and it went on from 0
    EXCHANGED = 6  # another meter says so itself
    SET_BACK = 7  # it is smaller than it was, and the meter is the same
    LEAPT = 8  # it has grown by more than it can have counted


class Totals:
    """The totals of one sensor: what was counted before its wire was opened, plus what it counts.

    A wire that outlived its process (see `Counting.resumed`) has counted all the time, so there is
    no gap to tell of. What it counted is known only once it has spoken; until then the durable
    total stands, and no total ever goes back.
    """

    def __init__(self, group: Group, sink: Sink) -> None:
        self._group, self._sink = group, sink
        self._bases: dict[int, int] = {}  # by index of the channel
        self._floors: dict[int, int] = {}  # durable totals of a wire that has not spoken yet
        self._index: dict[str, int] = {}
        self._opened_before = False
        self._weighed = _weighed(group.channels)

    def opened(self, driver: Driver, now_ms: int) -> None:
        """Take up the totals where they were left; a gap in watching them is an event."""
        names = [channel.name for channel in driver.measures()]
        self._index = {name: names.index(name) for name in sorted(driver.since_open)}
        resumed = driver.resumed() if isinstance(driver, Counting) else {}
        self._bases, self._floors = {}, {}
        for name, index in self._index.items():
            if name in resumed:
                self._resume(index, resumed[name], now_ms)
            else:
                self._begin(index, now_ms)
        if isinstance(driver, Counting) and not resumed:
            driver.keep({name: self._bases[index] for name, index in self._index.items()})
        self._opened_before = True

    def note(self, counts: Mapping[str, int], now_ms: int) -> None:
        """Make the sink's totals current."""
        for name, count in counts.items():
            self._set(self._index[name], count, now_ms)

    def lifted(self, sample: Sample, now_ms: int) -> Sample:
        """Return the sample with totals in place of counts since opening."""
        if not self._bases:
            return sample
        values = list(sample.values)
        for index in self._bases:
            count = values[index]
            if count is not None:
                values[index] = self._set(index, int(count), now_ms)
        for index, source, channel in self._weighed:
            count = values[source]
            values[index] = None if count is None else channel.worth(int(count))
        return Sample(tuple(values), sample.quality, sample.events)

    def _set(self, index: int, count: int, now_ms: int) -> int:
        channel = self._group.channels[index]
        total = self._total(index, count)
        if channel.modulus:
            total %= channel.modulus
        self._sink.set_total(channel.name, total, now_ms)
        return total

    def _total(self, index: int, count: int) -> int:
        floor = self._floors.get(index)
        if floor is None:
            return self._bases[index] + count
        if not count:  # a wire that was handed over has not spoken yet
            return floor
        del self._floors[index]
        wraps = self._group.channels[index].modulus
        if not wraps and self._bases[index] + count < floor:
            self._bases[index] = floor - count  # the spool knows more than the wire: go on from it
        return self._bases[index] + count

    def _resume(self, index: int, began: int, now_ms: int) -> None:
        """Go on with a wire that began to count at the total `began`, in another process."""
        name = self._group.channels[index].name
        known = self._sink.total(name)
        self._bases[index] = began
        self._floors[index] = known.value if known else began
        self._sink.set_total(name, self._floors[index], now_ms)

    def _begin(self, index: int, now_ms: int) -> None:
        """Count on from the durable total, and say for how long nobody did."""
        name = self._group.channels[index].name
        known = self._sink.total(name)
        base = known.value if known else 0
        if known:
            event = Event(EventCode.COUNTER_RESET, index, (base, base, *self._gap(known, now_ms)))
            self._sink.event(now_ms, self._group.gid, event)
        self._sink.set_total(name, base, now_ms)
        self._bases[index] = base

    def _gap(self, known: Total, now_ms: int) -> tuple[int, int]:
        """For how long nobody counted, in ms, and why."""
        gap_ms = unwatched_ms(known, self._sink, now_ms)
        if gap_ms == UNKNOWN_MS:
            return gap_ms, ResetReason.REBOOT
        return gap_ms, ResetReason.REOPENED if self._opened_before else ResetReason.RESTART


def _weighed(channels: Sequence[Channel]) -> list[tuple[int, int, Weighed]]:
    """Return what follows from counters, with its place and that of its counter."""
    places = {quantity(channel): n for n, channel in enumerate(channels)}
    found = ((n, c) for n, c in enumerate(channels) if isinstance(c, Weighed))
    return [(n, places[channel.counter], channel) for n, channel in found]


def unwatched_ms(known: Total, sink: Sink, now_ms: int) -> int:
    """Return how old a durable total is; UNKNOWN_MS where the node was off since."""
    return now_ms - known.t_ms if known.epoch == sink.epoch else UNKNOWN_MS
