"""A bus is brought back at the pace of its ladder, not at that of its most seldom read sensor."""

from __future__ import annotations

import itertools

import pytest

from edgenode.bus.levers import Outcome
from edgenode.errors import BusError
from edgenode.reading import Quality
from tests.support.levers import Rig

ALL = ("nine-clocks", "power", "usb")
HOUR_MS = 3_600_000
TRIES = 2  # of a sensor that is seldom read, in a rung at most: out of turn, and once opened anew


def rig(*names: str) -> Rig:
    """A sensor that is read each second beside one that is read each hour, both well."""
    made = Rig(*names, other_every_ms=HOUR_MS)
    made.run(5_000)
    return made


def rows(made: Rig) -> tuple[int, int]:
    return len(made.sink.of(1)), len(made.sink.of(2))


def test_rungs_do_not_wait_for_the_slot_of_a_sensor_that_is_seldom_read() -> None:
    made = rig(*ALL)
    began_ms = made.clock.boot
    made.fail(BusError("no acknowledge"))
    made.run(120_000)
    assert [name for name, _ in made.levers.pulled] == list(ALL)
    times = [t_ms for _, t_ms in made.levers.pulled]
    assert times[0] - began_ms < 35_000
    assert all(10_000 <= late - early < 25_000 for early, late in itertools.pairwise(times))


def test_nor_for_a_breaker_that_is_open_for_a_minute() -> None:
    made = rig("nine-clocks", "power")
    made.levers.effects["nine-clocks"] = lambda: Outcome(done=False, words="no permission")
    made.bench.error = BusError("no acknowledge")
    made.run(200_000)  # by now it is tried once a minute
    made.fail(BusError("no acknowledge"))
    made.run(HOUR_MS)
    (first, clocks_ms), (second, power_ms) = made.levers.pulled[:2]
    assert (first, second) == ("nine-clocks", "power")
    assert power_ms - clocks_ms < 15_000


def test_who_is_asked_out_of_turn_is_asked_once_for_each_rung() -> None:
    made = rig(*ALL)
    (often, seldom) = rows(made)
    made.fail(BusError("no acknowledge"))
    made.run(120_000)
    now_often, now_seldom = rows(made)
    assert now_seldom - seldom <= TRIES * (len(ALL) + 1)
    assert now_often - often - 120 <= TRIES * (len(ALL) + 1)
    made.run(300_000)
    assert rows(made) == (now_often + 300, now_seldom), "no lever is ready: nobody needs to know"


def test_one_that_answers_when_it_is_asked_keeps_every_lever_at_rest() -> None:
    made = rig(*ALL)
    _, seldom = rows(made)
    made.bench.error = BusError("no acknowledge")
    made.run(HOUR_MS // 2)
    assert made.levers.pulled == []
    assert rows(made)[1] - seldom == 1
    sample = made.sink.of(2)[-1][1]
    assert Quality.MISSING not in sample.quality


@pytest.mark.parametrize("times", [2, 3])
def test_each_time_that_one_falls_silent_the_other_is_asked_anew(times: int) -> None:
    made = rig(*ALL)
    _, seldom = rows(made)
    for _ in range(times):
        made.bench.error = BusError("no acknowledge")
        made.run(60_000)
        made.fail(None)
        made.run(120_000)
    assert rows(made)[1] - seldom == times


def test_without_a_lever_nobody_is_asked_out_of_turn() -> None:
    made = rig()
    _, seldom = rows(made)
    made.fail(BusError("no acknowledge"))
    made.run(600_000)
    assert rows(made)[1] == seldom


def test_a_bus_that_is_well_asks_nobody_out_of_turn() -> None:
    made = rig(*ALL)
    often, seldom = rows(made)
    made.run(600_000)
    assert rows(made) == (often + 600, seldom)
