"""The end of a part's life: told at nine tenths and at the end, once each, by whoever counts."""

from __future__ import annotations

from typing import Final

import pytest

from edgenode.reading import Channel, ClockSource, Event, EventCode, Group, Kind, Quality, Sample
from edgenode.sensing import Board, LifeRules, SensorRules
from edgenode.sensing.life import DAY_MS, Life, LifeStats
from edgenode.sensing.pipeline import Pipeline
from tests.support.clock import FakeClock
from tests.support.sensing import FakeSink

DUST = Group(
    1,
    (
        Channel("dust/pm25", "ug/m3", -1, observed="AirQualityObserved/pm25"),
        Channel("dust/operating_time", "s", kind=Kind.COUNTER),
    ),
)
FIRST_UTC_MS: Final = 1_735_689_600_000  # 2025-01-01
BY_DAY = LifeRules(1_000, "laser", installed="2025-01-01")
BY_COUNT = LifeRules(8_000, "laser", "operating_time")


class Part:
    """A part that is looked at when its clock was moved."""

    def __init__(self, rules: LifeRules, group: Group = DUST) -> None:
        self.rules, self.group, self.sink = rules, group, FakeSink()
        self.clock = FakeClock(utc_ms=FIRST_UTC_MS)
        self.told: list[object] = []
        self.start()

    def start(self, rules: LifeRules | None = None) -> None:
        self.rules = rules or self.rules
        self.life = Life(self.rules, self.group, self.sink, self.clock)

    def after(self, hours: float) -> None:
        """Look at it so many hours after 2025 began, by the wall clock and by its own count."""
        self.clock.boot += 60_000
        self.clock.offset = FIRST_UTC_MS + round(hours * 3_600_000) - self.clock.boot
        found = self.life.look((12.0, hours * 3600), self.clock.boot_ms())
        assert all(event.code == EventCode.SENSOR_END_OF_LIFE for event in found)
        self.told += [event.value for event in found]


def test_nine_tenths_and_the_end_are_told_once_each() -> None:
    part = Part(BY_DAY)
    for hours in (0, 500, 899.9, 900, 950, 999, 1000, 1500):
        part.after(hours)
    assert part.told == [(90,), (100,)]
    assert part.life.stats == LifeStats("laser", 1500.0, 1000, "2025-01-01")
    assert part.life.stats.percent == 150


def test_a_part_that_is_long_over_is_told_so_at_once_and_not_as_nearly() -> None:
    part = Part(BY_DAY)
    part.after(2000)
    assert part.told == [(100,)]


def test_a_restart_and_a_reboot_tell_nothing_again() -> None:
    part = Part(BY_DAY)
    part.after(950)
    part.start()
    part.after(951)
    part.sink.epoch += 1
    part.start()
    part.after(952)
    assert part.told == [(90,)]


def test_without_a_clock_that_is_vouched_for_nothing_is_judged() -> None:
    part = Part(BY_DAY)
    part.clock.source = ClockSource.NONE
    part.after(2000)
    assert (part.told, part.life.stats) == ([], None)
    part.clock.source = ClockSource.NTP
    part.after(950)
    assert part.told == [(90,)]
    part.clock.source = ClockSource.NONE
    part.after(5000)
    assert part.told == [(90,)]
    assert part.life.stats is not None
    assert part.life.stats.hours == 950.0, "what was known stands"


def test_a_clock_before_the_day_of_installation_shows_no_hours() -> None:
    part = Part(BY_DAY)
    part.after(-100)
    assert part.life.stats is not None
    assert part.life.stats.hours == 0.0


def test_a_part_of_another_day_is_another_part() -> None:
    part = Part(BY_DAY)
    part.after(1000)
    part.start(LifeRules(1_000, "laser", installed="2025-02-01"))
    part.after(1001)
    assert part.life.stats is not None
    assert part.life.stats.hours == pytest.approx(1001 - 31 * 24)
    part.after(31 * 24 + 900)
    assert part.told == [(100,), (90,)]


def test_a_part_that_rests_counts_its_own_hours_also_without_a_clock() -> None:
    part = Part(BY_COUNT)
    part.clock.source = ClockSource.NONE
    for hours in (1, 7199, 7200, 8000):
        part.after(hours)
    assert part.told == [(90,), (100,)]


def test_what_the_part_before_has_counted_does_not_count_for_the_next() -> None:
    part = Part(BY_COUNT)
    part.after(8000)
    part.start(LifeRules(8_000, "laser", "operating_time", "2026-01-01"))
    part.after(8001)
    part.start()
    part.after(8101)
    assert part.told == [(100,)]
    assert part.life.stats is not None
    assert part.life.stats.hours == pytest.approx(100, abs=0.1)


def test_it_is_looked_at_once_a_minute_at_most() -> None:
    part = Part(BY_DAY)
    part.after(10)
    part.clock.step(DAY_MS)
    assert part.life.look((12.0, 0), part.clock.boot_ms() + 59_999) == ()
    assert part.life.stats is not None
    assert part.life.stats.hours == 10.0


CELL = Group(
    2,
    (
        Channel("gas/no2", "[ppb]", -1, observed="AirQualityObserved/no2"),
        Channel("gas/no2_we", "mV", -2),
    ),
)


def passed(rules: LifeRules, hours: float, quality: tuple[Quality, ...] = ()) -> Sample:
    """Pass a sample of a cell that works since 2025 began."""
    clock = FakeClock(utc_ms=FIRST_UTC_MS + round(hours * 3_600_000))
    pipeline = Pipeline(CELL, SensorRules(life=rules), 1000, FakeSink(), Board(), clock)
    return pipeline.passed(Sample((30.0, 290.0), quality), clock.boot_ms(), settling=False)


def test_a_cell_beyond_its_life_is_uncalibrated_and_its_voltages_are_what_they_are() -> None:
    cell = LifeRules(1_000, "cell", installed="2025-01-01")
    assert passed(cell, 999).quality == ()
    over = passed(cell, 1000)
    assert over.quality == (Quality.UNCALIBRATED, Quality.OK)
    assert over.values == (30.0, 290.0)
    assert over.events == (Event(EventCode.SENSOR_END_OF_LIFE, value=(100,)),)


def test_what_is_worse_than_the_age_of_a_cell_is_told_before_it() -> None:
    cell = LifeRules(1_000, "cell", installed="2025-01-01")
    bad = (Quality.CLAMPED, Quality.OK)
    assert passed(cell, 2000, bad).quality[0] is Quality.CLAMPED


def test_a_laser_that_outlives_its_life_is_still_believed() -> None:
    assert passed(BY_DAY, 2000).quality == ()
