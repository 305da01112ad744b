"""Totals of counters: they survive restarts and reboots, and say what was unwatched."""

from __future__ import annotations

import pytest

from edgenode.errors import BusError
from edgenode.reading import Channel, EventCode, Group, Kind, Quality, Total
from edgenode.sensing.job import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason
from edgenode.sensing.watch import Watch
from tests.support.clock import FakeClock
from tests.support.sensing import FakeCounter, FakeSink, group_of

NAME = "s1/count"


class Meter:
    """A counter in a runner; `start` is a start of the daemon."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sink = FakeSink()
        self.made: list[FakeCounter] = []
        self.group = group_of(FakeCounter, 1)
        self.broken = False

    def factory(self) -> FakeCounter:
        if self.broken:
            raise BusError("no such chip")
        self.made.append(FakeCounter())
        return self.made[-1]

    def start(self) -> Runner:
        job = Job("s1", self.group, self.factory, every_ms=1000, stamp_ms=50)
        watch = Watch(self.sink, self.clock)
        return Runner(job, self.sink, self.clock, watch, Lateness())

    def serve(self, runner: Runner, slots: int = 1) -> None:
        for _ in range(slots):
            self.clock.advance(max(0, runner.schedule.due_ms - self.clock.boot))
            runner.serve(self.clock.boot_ms())

    def resets(self) -> list[object]:
        return [e.value for _, _, e in self.sink.events if e.code == EventCode.COUNTER_RESET]


@pytest.fixture
def meter() -> Meter:
    return Meter()


def test_a_new_counter_begins_at_zero_without_an_event(meter: Meter) -> None:
    meter.serve(meter.start())
    assert meter.sink.totals[NAME].value == 0
    assert meter.resets() == []


def test_every_feed_makes_the_total_current_before_any_read(meter: Meter) -> None:
    runner = meter.start()
    meter.serve(runner)
    meter.made[0].pulse(7)
    runner.feed(meter.clock.boot_ms())
    assert meter.sink.totals[NAME] == Total(7, 1, meter.clock.boot_ms())


def test_a_restart_goes_on_from_the_total_and_says_how_long_nobody_watched(meter: Meter) -> None:
    runner = meter.start()
    meter.serve(runner)
    meter.made[0].pulse(42)
    runner.feed(meter.clock.boot_ms())
    seen_ms = meter.clock.boot_ms()
    meter.clock.advance(3_300)
    again = meter.start()
    meter.serve(again)
    gap_ms = meter.clock.boot_ms() - seen_ms
    assert meter.resets() == [(42, 42, gap_ms, ResetReason.RESTART)]
    meter.made[1].pulse(8)
    meter.serve(again)
    assert meter.sink.of(1)[-1][1].values == (50,)


def test_after_a_reboot_the_time_unwatched_is_not_known(meter: Meter) -> None:
    runner = meter.start()
    meter.serve(runner)
    meter.made[0].pulse(42)
    meter.serve(runner)
    meter.clock.reboot()
    meter.sink.epoch += 1
    meter.serve(meter.start())
    assert meter.resets() == [(42, 42, UNKNOWN_MS, ResetReason.REBOOT)]
    assert meter.sink.of(1)[-1][1].values == (42,)


def test_a_lost_line_goes_on_from_its_total_when_it_is_found(meter: Meter) -> None:
    runner = meter.start()
    meter.serve(runner)
    meter.made[0].pulse(5)
    runner.feed(meter.clock.boot_ms())
    fed_ms = meter.clock.boot_ms()
    meter.made[0].broken = BusError("the line ended")
    runner.feed(meter.clock.boot_ms())
    assert runner.descriptor() is None
    while runner.descriptor() is None:
        meter.serve(runner)
    opened_ms = meter.clock.boot_ms()
    assert meter.sink.of(1)[-1][1].values == (5,)
    gap_ms = opened_ms - fed_ms
    assert meter.resets() == [(5, 5, gap_ms, ResetReason.REOPENED)]


def test_while_it_is_lost_its_rows_are_missing_not_zero(meter: Meter) -> None:
    meter.broken = True
    runner = meter.start()
    meter.serve(runner, 2)
    assert {(s.values, s.quality) for _, s in meter.sink.of(1)} == {((None,), (Quality.MISSING,))}


def test_a_total_wraps_at_the_modulus_of_its_channel(meter: Meter) -> None:
    meter.group = Group(1, (Channel(NAME, "count", kind=Kind.COUNTER, modulus=100),))
    meter.sink.totals[NAME] = Total(98, 1, 0)
    runner = meter.start()
    meter.serve(runner)
    meter.made[0].pulse(5)
    meter.serve(runner)
    assert meter.sink.of(1)[-1][1].values == (3,)
    assert meter.sink.totals[NAME].value == 3
