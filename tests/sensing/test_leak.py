"""Flow that never stops is told once, and its end too, over outages, restarts and reboots."""

from __future__ import annotations

from typing import Final

import pytest

from edgenode.errors import SpoolError
from edgenode.reading import Channel, Event, EventCode, Group, Kind, Quality, Sample
from edgenode.sensing import Board, ChannelRules, LeakRules, SensorRules
from edgenode.sensing.leak import Leak
from edgenode.sensing.pipeline import Pipeline
from tests.support.sensing import FakeSink

VOLUME = Channel("water/volume", "m3", -3, kind=Kind.COUNTER)
MINUTE_MS: Final = 60_000
EVERY_MS: Final = 15 * MINUTE_MS
HOUR: Final = 4  # reads
RULES = LeakRules(after_s=24 * 3600, quiet_s=30 * 60)


class Water:
    """A meter read each quarter of an hour."""

    def __init__(self, rules: LeakRules = RULES) -> None:
        self.rules, self.sink = rules, FakeSink()
        self.now_ms, self.total = 0, 100.0
        self.told: list[Event] = []
        self.start()

    def start(self) -> None:
        self.leak = Leak(1, VOLUME, self.rules, EVERY_MS, self.sink)

    def read(self, *litres: float | None) -> None:
        """Read once for each, a period apart; None is a read that failed."""
        for flowed in litres:
            self.now_ms += EVERY_MS
            self.total += (flowed or 0) / 1000
            good = flowed is not None
            quality = Quality.OK if good else Quality.MISSING
            self.told += self.leak.look(self.total if good else None, quality, self.now_ms)

    def codes(self) -> list[tuple[int, object]]:
        return [(event.code, event.value) for event in self.told]


SUSPECTED = (EventCode.LEAK_SUSPECTED, (24,))


def test_flow_without_a_pause_for_so_long_is_told_once_with_its_hours() -> None:
    water = Water()
    water.read(*[2.0] * 24 * HOUR)
    assert (water.told, water.leak.flows_ms) == ([], None)
    water.read(2.0)
    assert water.told == [Event(EventCode.LEAK_SUSPECTED, 1, (24,))]
    water.read(*[2.0] * 3 * HOUR)
    assert water.codes() == [SUSPECTED]
    assert water.leak.flows_ms == 27 * 60 * MINUTE_MS


def test_a_pause_each_night_is_no_leak() -> None:
    water = Water()
    for _ in range(10):
        water.read(*[5.0] * 23 * HOUR, 5.0, 5.0, 0.0, 0.0)
    assert water.told == []


def test_what_drips_between_two_windows_is_no_pause() -> None:
    water = Water()
    water.read(*[1.0, 0.0] * 13 * HOUR)
    assert water.codes() == [SUSPECTED]


def test_a_quiet_window_ends_it_and_the_next_day_may_begin_another() -> None:
    water = Water()
    water.read(*[2.0] * 25 * HOUR)
    water.read(0.0, 0.0)
    assert water.codes() == [SUSPECTED, (EventCode.LEAK_ENDED, (25,))]
    assert water.leak.flows_ms is None
    water.read(*[2.0] * 24 * HOUR)
    assert water.codes()[2:] == [SUSPECTED]


def test_a_window_as_long_as_a_period_needs_two_reads_alike() -> None:
    water = Water(LeakRules(24 * 3600, quiet_s=EVERY_MS / 1000))
    water.read(*[2.0] * 25 * HOUR, 0.0)
    assert [code for code, _ in water.codes()] == [
        EventCode.LEAK_SUSPECTED,
        EventCode.LEAK_ENDED,
    ]


def test_a_read_that_fails_changes_nothing_and_a_longer_gap_begins_anew() -> None:
    water = Water()
    water.read(*[2.0] * 12 * HOUR, None, *[2.0] * 12 * HOUR)
    assert water.codes() == [SUSPECTED]
    gap = Water()
    gap.read(*[2.0] * 12 * HOUR, None, None, *[2.0] * 24 * HOUR)
    assert gap.told == [], "a pause may have been in the gap"
    gap.read(2.0)
    assert gap.codes() == [SUSPECTED]


def test_a_gap_neither_ends_a_suspicion_nor_tells_it_again() -> None:
    water = Water()
    water.read(*[2.0] * 25 * HOUR, *[None] * 20, *[2.0] * 30 * HOUR)
    assert water.codes() == [SUSPECTED]


def test_a_total_that_stood_still_over_a_gap_is_a_pause() -> None:
    water = Water()
    water.read(*[2.0] * 25 * HOUR, *[None] * 20, 0.0)
    assert [code for code, _ in water.codes()] == [
        EventCode.LEAK_SUSPECTED,
        EventCode.LEAK_ENDED,
    ]


def test_a_count_that_stood_still_while_nobody_counted_is_no_pause() -> None:
    water = Water()
    water.read(*[2.0] * 25 * HOUR, *[None] * 20)
    water.leak.opened()
    water.read(0.0)
    assert water.codes() == [SUSPECTED]
    water.read(0.0, 0.0)
    assert len(water.told) == 2


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.SETTLING, Quality.FAULT])
def test_a_total_that_is_doubted_proves_no_pause(quality: Quality) -> None:
    water = Water()
    water.read(*[2.0] * 25 * HOUR)
    for _ in range(10):
        water.now_ms += EVERY_MS
        assert water.leak.look(water.total, quality, water.now_ms) == ()
    assert water.leak.flows_ms is not None


def test_a_restart_goes_on_with_the_time_that_it_flows() -> None:
    water = Water()
    water.read(*[2.0] * 20 * HOUR)
    water.start()
    water.read(*[2.0] * 4 * HOUR)
    assert water.told == []
    water.read(2.0)
    assert water.codes() == [SUSPECTED]
    water.start()
    water.read(2.0)
    assert water.codes() == [SUSPECTED], "not once more"
    assert water.leak.flows_ms is not None


def test_a_restart_that_took_long_begins_anew() -> None:
    water = Water()
    water.read(*[2.0] * 20 * HOUR)
    water.now_ms += 3 * EVERY_MS
    water.start()
    water.read(*[2.0] * 24 * HOUR)
    assert water.told == []


def test_a_reboot_begins_anew_but_forgets_no_suspicion() -> None:
    fresh = Water()
    fresh.read(*[2.0] * 20 * HOUR)
    fresh.sink.epoch, fresh.now_ms = 2, 0
    fresh.start()
    fresh.read(*[2.0] * 24 * HOUR)
    assert fresh.told == []
    leaking = Water()
    leaking.read(*[2.0] * 25 * HOUR)
    leaking.sink.epoch, leaking.now_ms = 2, 0
    leaking.start()
    leaking.read(2.0)
    assert leaking.codes() == [SUSPECTED]
    assert leaking.leak.flows_ms is not None
    leaking.read(0.0, 0.0)
    assert leaking.codes()[1:] == [(EventCode.LEAK_ENDED, (25,))]


def test_without_room_for_its_time_it_still_works_until_a_restart() -> None:
    water = Water()

    def full(channel: str, value: int, t_ms: int) -> None:
        raise SpoolError(f"no room for {channel} {value} {t_ms}")

    water.sink.set_total = full  # type: ignore[method-assign]
    water.read(*[2.0] * 25 * HOUR)
    assert water.codes() == [SUSPECTED]


def test_a_sensor_with_the_rule_tells_it_with_its_rows() -> None:
    rules = SensorRules({"volume": ChannelRules(leak=LeakRules(3600, 1800))})
    pipeline = Pipeline(Group(1, (VOLUME,)), rules, EVERY_MS, FakeSink(), Board())
    told = [
        pipeline.passed(Sample((n / 1000,)), n * EVERY_MS, settling=False).events for n in range(6)
    ]
    assert told == [(), (), (), (), (Event(EventCode.LEAK_SUSPECTED, 0, (1,)),), ()]
    assert pipeline.leaks[0].flows_ms == 75 * MINUTE_MS
