"""Totals of counters: they survive restarts and reboots, and say what was unwatched."""

from __future__ import annotations

from collections.abc import Mapping

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
        self.cls = FakeCounter
        self.group = group_of(FakeCounter, 1)
        self.broken = False

    def factory(self) -> FakeCounter:
        if self.broken:
            raise BusError("no such chip")
        self.made.append(self.cls())
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


class HandedOver(FakeCounter):
    """A counter whose wire outlived the process before; it began to count at `BEGAN`."""

    BEGAN = 1_000

    def resumed(self) -> Mapping[str, int]:
        return {"count": self.BEGAN}


def handed_over(meter: Meter, durable: int | None, modulus: int | None = None) -> Runner:
    """Start on a line that began at 1,000 with a spool that knows of `durable`."""
    meter.cls = HandedOver
    meter.group = Group(1, (Channel(NAME, "count", kind=Kind.COUNTER, modulus=modulus),))
    if durable is not None:
        meter.sink.totals[NAME] = Total(durable, 1, 0)
    runner = meter.start()
    meter.serve(runner)
    return runner


def fed(meter: Meter, runner: Runner, count: int) -> int:
    """Let the wire say that it has counted so many since it was opened; return the total."""
    meter.made[-1].pulse(count - meter.made[-1].count)
    runner.feed(meter.clock.boot_ms())
    return meter.sink.totals[NAME].value


def test_a_fresh_line_is_kept_with_the_total_at_which_it_begins(meter: Meter) -> None:
    meter.sink.totals[NAME] = Total(42, 1, 0)
    meter.serve(meter.start())
    assert meter.made[0].kept == [{"count": 42}]


def test_a_line_that_was_handed_over_tells_of_no_gap_and_is_kept_as_it_is(meter: Meter) -> None:
    handed_over(meter, 1_040)
    assert meter.resets() == []
    assert meter.made[0].kept == []


def test_after_an_orderly_stop_the_total_stands_until_the_line_speaks(meter: Meter) -> None:
    runner = handed_over(meter, 1_040)
    assert meter.sink.of(1)[-1][1].values == (1_040,)
    assert fed(meter, runner, 41) == 1_041


def test_what_was_read_and_not_committed_before_a_kill_is_in_the_next_total(meter: Meter) -> None:
    runner = handed_over(meter, 1_030)  # 1,040 were counted, ten of them after the last commit
    assert meter.sink.totals[NAME].value == 1_030
    assert fed(meter, runner, 41) == 1_041


def test_a_spool_that_lost_everything_goes_on_from_where_the_line_began(meter: Meter) -> None:
    runner = handed_over(meter, None)
    assert meter.sink.totals[NAME].value == 1_000
    assert fed(meter, runner, 41) == 1_041


def test_a_total_never_goes_back_though_the_spool_knows_more_than_the_line(meter: Meter) -> None:
    runner = handed_over(meter, 5_000)
    assert fed(meter, runner, 3) == 5_000
    assert fed(meter, runner, 5) == 5_002
    meter.serve(runner)
    assert meter.sink.of(1)[-1][1].values == (5_002,)


def test_a_total_with_a_modulus_is_resumed_across_its_wrap(meter: Meter) -> None:
    runner = handed_over(meter, 90, modulus=100)
    assert meter.sink.totals[NAME].value == 90
    assert fed(meter, runner, 105) == 5


def test_a_line_that_is_lost_after_a_handover_is_opened_anew_with_its_gap_told(
    meter: Meter,
) -> None:
    runner = handed_over(meter, 1_040)
    assert fed(meter, runner, 50) == 1_050
    meter.cls = FakeCounter
    meter.made[0].broken = BusError("the line ended")
    runner.feed(meter.clock.boot_ms())
    while runner.descriptor() is None:
        meter.serve(runner)
    assert [reset[:2] for reset in meter.resets() if isinstance(reset, tuple)] == [(1_050, 1_050)]
    assert meter.made[1].kept == [{"count": 1_050}]
    assert fed(meter, runner, 2) == 1_052
