"""How far a part is used up, such as the laser of a dust sensor: told at nine tenths, and at 1."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from edgenode.clock import Clock
from edgenode.errors import SpoolError
from edgenode.reading import ClockSource, Event, EventCode, Group, Quality
from edgenode.sensing.channels import quantity
from edgenode.sensing.job import Sink
from edgenode.sensing.rules import LifeRules

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LOOK_MS: Final = 60_000
NEAR, OVER = 90, 100  # % of its life; the value of sensor-end-of-life
EPOCH: Final = date(1970, 1, 1)
HOURS: Final = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0}  # in a unit of the counter
CELL: Final = "cell"  # its sensitivity is warranted for its life only


@dataclass(frozen=True, slots=True)
class LifeStats:
    """How long a part has worked, and how long it lasts."""

    what: str  # that wears, such as "laser"
    hours: float
    of_hours: float
    installed: str  # YYYY-MM-DD; empty: not given

    @property
    def percent(self) -> int:
        """Return how much of its life is used up."""
        return int(100 * self.hours / self.of_hours)


class Life:
    """Counts the hours of one part, by the wall clock where one is vouched for, or by its own.

    What was told is durable as the total `<sensor> life`, with the day of installation: another
    day is another part. What the counter showed by then is `<sensor> life base`.
    """

    def __init__(self, rules: LifeRules, group: Group, sink: Sink, clock: Clock) -> None:
        self._rules, self._sink, self._clock = rules, sink, clock
        sensor = group.channels[0].name.partition("/")[0]
        self._key, self._base_key = f"{sensor} life", f"{sensor} life base"
        self._day = (date.fromisoformat(rules.installed) - EPOCH).days if rules.installed else 0
        names = [quantity(channel) for channel in group.channels]
        self._place = names.index(rules.counter) if rules.counter else None
        unit = group.channels[self._place].unit if self._place is not None else "h"
        self._hours_each = HOURS[unit]
        self._hours: float | None = None
        self._looked_ms: int | None = None
        # Of what the city knows by a name, since voltages and the like are still what they are.
        self._worn = [n for n, channel in enumerate(group.channels) if channel.observed]
        for key in (self._key, self._base_key):
            sink.total(key)  # where room is short, what nobody asks for is forgotten

    @property
    def stats(self) -> LifeStats | None:
        """How it is; None while nobody can know."""
        if self._hours is None:
            return None
        rules = self._rules
        return LifeStats(rules.what, round(self._hours, 1), rules.hours, rules.installed)

    def look(self, values: Sequence[float | None], now_ms: int) -> tuple[Event, ...]:
        """Take the newest sample, and return what is to be told."""
        if self._looked_ms is not None and now_ms - self._looked_ms < LOOK_MS:
            return ()
        self._looked_ms = now_ms
        hours = self._by_day() if self._place is None else self._counted(values[self._place])
        if hours is None:
            return ()
        self._hours = hours
        percent = 100 * hours / self._rules.hours
        due = OVER if percent >= OVER else NEAR if percent >= NEAR else 0
        if due <= self._told():
            return ()
        self._note(self._key, self._day * 1000 + due, now_ms)
        return (Event(EventCode.SENSOR_END_OF_LIFE, value=(due,)),)

    def mark(self, quality: list[Quality]) -> None:
        """Mark what a cell beyond its life still shows: its certificate holds no more."""
        hours = self._hours
        if self._rules.what != CELL or hours is None or hours < self._rules.hours:
            return
        for n in self._worn:
            if n < len(quality) and quality[n] is Quality.OK:
                quality[n] = Quality.UNCALIBRATED

    def _by_day(self) -> float | None:
        """Return the hours since its installation; the last known ones without a clock."""
        if self._clock.sync()[0] == ClockSource.NONE:
            return self._hours
        return max(0.0, (self._clock.utc_ms() - self._day * DAY_MS) / HOUR_MS)

    def _counted(self, value: float | None) -> float | None:
        """Return the hours that the part has counted since it was installed."""
        if value is None:
            return self._hours
        total, known = round(value), self._sink.total(self._key)
        now_ms = self._looked_ms or 0
        if known is None or known.value // 1000 != self._day:
            base = 0 if known is None else total  # on another day, another part
            self._note(self._base_key, base, now_ms)
            self._note(self._key, self._day * 1000, now_ms)
        kept = self._sink.total(self._base_key)
        return (value - (kept.value if kept else 0)) * self._hours_each

    def _told(self) -> int:
        """Return what was told of this very part, in %."""
        known = self._sink.total(self._key)
        return known.value % 1000 if known and known.value // 1000 == self._day else 0

    def _note(self, key: str, value: int, now_ms: int) -> None:
        with suppress(SpoolError):  # without room it is told once more after a restart
            self._sink.set_total(key, value, now_ms)
