"""Totals that a part keeps by itself: an exchange is noticed whenever it happens, and told once."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from drivers.sdm import SDM230, SDMOptions
from edgenode.reading import Channel, Event, EventCode, Group, Kind, Quality, Sample, Total
from edgenode.sensing.job import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.register import MOST
from edgenode.sensing.runner import Runner
from edgenode.sensing.standing import Standing
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason
from edgenode.sensing.watch import Watch
from edgenode.spool.block import MAX_TOTALS
from edgenode.spool.totals import Totals as SpoolTotals
from edgenode.spool.totals import key_of
from tests.support.clock import FakeClock
from tests.support.meters import SINGLE, metered
from tests.support.sensing import FakeSink
from tests.support.sites import STEPS, Meter, Site

NAME = "s1/energy"


@pytest.fixture
def site() -> Site:
    return Site()


GOOD, HELD = Quality.OK, (None, Quality.FAULT)


def test_the_last_total_is_durable_in_steps_of_its_resolution(site: Site) -> None:
    assert site.read(1551.37) == (1551.37, GOOD)
    assert site.sink.totals[NAME] == Total(155_137, 1, site.clock.boot_ms())
    assert site.told() == []


def test_one_that_goes_back_is_held_back_once_then_believed_and_told(site: Site) -> None:
    site.read(1551.37)
    good_ms = site.clock.boot_ms()
    assert site.read(3.5) == HELD
    assert site.sink.of(1)[-1][1].values[0] == 230.0, "the voltage beside it is good"
    assert site.read(3.5) == (1551.37, GOOD)
    gap_ms = site.clock.boot_ms() - good_ms
    assert site.told() == [(155_137, 350, gap_ms, ResetReason.WENT_BACK)]
    assert site.sink.of(1)[-1][1].events == (
        Event(EventCode.COUNTER_RESET, 1, (155_137, 350, gap_ms, 4)),
    )
    assert site.read(3.6) == (1551.47, GOOD), "the total goes on with what the new one counts"
    assert len(site.told()) == 1


def test_a_slip_is_told_of_nobody_and_does_not_spend_the_next_ones_doubt(site: Site) -> None:
    site.read(1551.37)
    assert site.read(0.0) == HELD
    assert site.read(1551.5) == (1551.5, GOOD)
    assert site.read(0.0) == HELD
    assert site.told() == []


def test_nonsense_that_does_not_go_on_from_nonsense_is_never_believed(site: Site) -> None:
    site.read(1551.37)
    for nonsense in (900.0, 3.0, 2.0, 1.0):
        assert site.read(nonsense) == HELD
    assert site.read(1551.4) == (1551.4, GOOD)
    assert site.told() == []


def test_one_that_stands_still_or_grows_is_nothing_to_tell(site: Site) -> None:
    for energy in (1551.37, 1551.37, 1551.38):
        assert site.read(energy) == (energy, GOOD)
    assert site.told() == []


def test_an_exchange_while_the_meter_was_lost_is_told_once(site: Site) -> None:
    site.read(1551.37)
    good_ms = site.clock.boot_ms()
    site.lose()
    assert site.read(2.0) == HELD
    assert site.read(2.0) == (1551.37, GOOD)
    assert site.told() == [(155_137, 200, site.clock.boot_ms() - good_ms, 4)]


def test_an_exchange_that_costs_the_connection_between_two_reads_is_told_once(site: Site) -> None:
    site.read(1551.37)
    assert site.read(2.0) == HELD
    site.lose()
    assert site.read(2.0) == (1551.37, GOOD)
    assert len(site.told()) == 1


def test_an_exchange_while_the_daemon_was_stopped_is_told_with_the_time_between(
    site: Site,
) -> None:
    site.read(1551.37)
    good_ms = site.clock.boot_ms()
    site.clock.advance(3_600_000)
    site.start()
    assert site.read(2.0) == HELD
    assert site.read(2.0) == (1551.37, GOOD)
    assert site.told() == [(155_137, 200, site.clock.boot_ms() - good_ms, 4)]


def test_an_exchange_while_the_node_was_off_is_told_at_once_without_a_time(site: Site) -> None:
    site.read(1551.37)
    site.reboot()
    assert site.read(2.0) == (1551.37, GOOD)
    assert site.told() == [(155_137, 200, UNKNOWN_MS, 4)]
    assert site.read(2.5) == (1551.87, GOOD)
    assert len(site.told()) == 1


def test_what_was_carried_over_outlives_restarts_and_reboots(site: Site) -> None:
    site.read(1551.37)
    site.reboot()
    site.read(2.0)
    site.start()
    assert site.read(3.0) == (1552.37, GOOD)
    site.reboot()
    assert site.read(4.0) == (1553.37, GOOD)
    assert len(site.told()) == 1


def test_a_meter_that_went_on_counting_while_nobody_asked_is_nothing_to_tell(site: Site) -> None:
    site.read(1551.37)
    site.lose()
    assert site.read(1600.0) == (1600.0, GOOD)
    site.start()
    assert site.read(1600.0) == (1600.0, GOOD)
    site.reboot()
    assert site.read(1700.0) == (1700.0, GOOD)
    assert site.told() == []


def test_a_difference_below_its_resolution_is_none(site: Site) -> None:
    site.read(1551.3701)
    assert site.read(1551.3699) == (1551.3699, GOOD)
    assert site.told() == []


@pytest.mark.parametrize("nonsense", [None, float("nan"), float("inf"), 1e300, MOST / STEPS])
def test_what_is_no_number_or_cannot_travel_is_not_remembered(
    site: Site, nonsense: float | None
) -> None:
    site.read(1551.37)
    before = site.sink.totals[NAME]
    site.energy = nonsense
    site.read()
    assert site.sink.totals[NAME] == before
    assert site.read(1551.4) == (1551.4, GOOD)
    assert site.runner.failures == 0


def test_a_number_that_its_driver_doubts_is_not_remembered_and_no_total_goes_back_by_it(
    site: Site,
) -> None:
    site.read(1551.37)
    site.quality = (Quality.OK, Quality.STALE)
    assert site.read(1551.37) == (1551.37, Quality.STALE)
    assert site.read(0.0) == (None, Quality.STALE)
    assert site.read(1600.0) == (1600.0, Quality.STALE)
    assert site.sink.totals[NAME].value == 155_137
    site.quality = ()
    assert site.read(1551.37) == (1551.37, GOOD)
    assert site.told() == []


def test_a_number_that_its_driver_doubts_has_what_was_carried_over_too(site: Site) -> None:
    site.read(1551.37)
    site.reboot()
    site.read(2.0)
    site.quality = (Quality.OK, Quality.STALE)
    assert site.read(2.0) == (1551.37, Quality.STALE)


def test_what_the_register_cannot_show_is_out_of_range_and_not_remembered() -> None:
    class Narrow(Meter):
        channels: ClassVar[tuple[Channel, ...]] = (
            Channel("voltage", "V", -1),
            Channel("energy", "kWh", -2, kind=Kind.COUNTER, low=0, high=9999),
        )

    site = Site(cls=Narrow)
    site.read(9998.0)
    assert site.read(10_000.0) == (10_000.0, Quality.OUT_OF_RANGE)
    assert site.read(-1.0) == (None, Quality.OUT_OF_RANGE)
    assert site.sink.totals[NAME].value == 999_800
    site.reboot()
    site.read(2.0)
    assert site.read(5.0) == (10_001.0, GOOD), "the total goes on beyond the register's range"


def test_what_the_driver_says_beside_it_stands(site: Site) -> None:
    site.read(1551.37)
    site.reboot()
    alarm = Event(EventCode.SUPPLY_LOW, 0)
    site.quality, site.events = (Quality.CLAMPED, Quality.OK), (alarm,)
    assert site.read(2.0) == (1551.37, GOOD)
    sample = site.sink.of(1)[-1][1]
    assert (sample.quality[0], sample.events[0]) == (Quality.CLAMPED, alarm)
    assert len(sample.events) == 2


def test_what_is_counted_since_opening_is_left_to_those_totals(site: Site) -> None:
    class SinceOpen(Meter):
        since_open: ClassVar[frozenset[str]] = frozenset({"energy"})

    standing = Standing(site.group, site.rules, site.sink)
    standing.opened(SinceOpen(lambda _: Sample(())))
    sample = Sample((230.0, 7.0))
    assert standing.judged(sample, 0) is sample
    assert NAME not in site.sink.totals


def test_a_count_that_begins_with_the_machine_goes_on_from_all_boots_before() -> None:
    class SinceBoot(Meter):
        since_boot: ClassVar[frozenset[str]] = frozenset({"energy"})

    site = Site(cls=SinceBoot)
    site.read(10.0)
    site.reboot()
    assert site.read(2.0) == (12.0, GOOD)
    site.reboot()
    assert site.read(50.0) == (62.0, GOOD), "also where it already shows more"
    assert [value[2:] for value in site.told()] == [(UNKNOWN_MS, ResetReason.REBOOT)] * 2
    site.start()
    assert site.read(51.0) == (63.0, GOOD)


def test_a_meter_that_is_absent_for_long_keeps_its_place_among_the_totals() -> None:
    full = SpoolTotals()
    of_old_sensors = [(key_of(f"old/{n}"), Total(n, 1, 1)) for n in range(MAX_TOTALS - 1)]
    full.merge([(key_of(NAME), Total(155_137, 1, 1)), *of_old_sensors])
    site = Site()
    site.sink.total = full.get  # type: ignore[method-assign]
    site.start()
    for n in range(MAX_TOTALS - 1):
        full.set(f"another/{n}", Total(n, 1, 1))
    assert full.get(NAME) == Total(155_137, 1, 1)


def test_without_room_for_what_is_carried_over_the_total_still_never_goes_back() -> None:
    full = SpoolTotals()
    site = Site()

    def noted(channel: str, value: int, t_ms: int) -> None:
        full.set(channel, Total(value, site.sink.epoch, t_ms))

    site.sink.total, site.sink.set_total = full.get, noted  # type: ignore[method-assign]
    site.start()
    site.read(1551.37)
    for n in range(MAX_TOTALS - 1):
        noted(f"another/{n}", n, 0)
    site.read(2.0)
    assert site.read(2.0) == (1551.37, GOOD)
    assert site.read(3.0) == (1552.37, GOOD)
    site.start()
    site.read(4.0)
    assert site.read(4.0) == (1552.37, GOOD)
    assert len(site.told()) == 2, "it is told once more, since nothing is known of the first"
    assert site.runner.failures == 0


def test_a_real_meter_that_was_exchanged_is_told_of_once_for_each_energy() -> None:
    cable, meter = metered(SINGLE)
    clock, sink = FakeClock(), FakeSink()
    channels = tuple(replace(c, name=f"s1/{c.name}") for c in SDM230.channels)
    job = Job("s1", Group(1, channels), lambda: SDM230(cable, SDMOptions()), 1000, stamp_ms=50)

    def served(runner: Runner, times: int) -> None:
        for _ in range(times):
            clock.advance(max(0, runner.schedule.due_ms - clock.boot))
            runner.serve(clock.boot_ms())

    served(Runner(job, sink, clock, Watch(sink, clock), Lateness()), 3)
    meter.holds({**SINGLE, 0x48: 3.5, 0x4A: 0.25})
    served(Runner(job, sink, clock, Watch(sink, clock), Lateness()), 4)
    told = [event for _, sample in sink.of(1) for event in sample.events]
    values = [(e.channel, e.value[:2]) for e in told if isinstance(e.value, tuple)]
    assert values == [(7, (155_137, 350)), (8, (133_569, 25))]
