"""All totals of one sensor: those that are counted here, and those that the part keeps."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.driver import Driver
from edgenode.reading import Group, Sample
from edgenode.sensing.job import Sink
from edgenode.sensing.rules import SensorRules
from edgenode.sensing.standing import Standing
from edgenode.sensing.totals import Totals


class Counters:
    """Whatever counts, it only grows, and the spool knows how far it came."""

    def __init__(self, group: Group, rules: SensorRules, sink: Sink) -> None:
        self._counted, self._standing = Totals(group, sink), Standing(group, rules, sink)

    def opened(self, driver: Driver, now_ms: int) -> None:
        """Take up the totals where they were left; a gap in counting here is an event."""
        self._counted.opened(driver, now_ms)
        self._standing.opened(driver)

    def note(self, counts: Mapping[str, int], now_ms: int) -> None:
        """Make the totals of what is counted here current, between reads."""
        self._counted.note(counts, now_ms)

    def told(self, sample: Sample, now_ms: int) -> Sample:
        """Return the sample with totals in place of counts and registers."""
        return self._standing.judged(self._counted.lifted(sample, now_ms), now_ms)
