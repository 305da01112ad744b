"""A bus of which nobody answers: one rung after another, each counted, none too often."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from edgenode.bus.levers import Outcome
from edgenode.errors import BadFrame, BusError, BusStuck
from edgenode.reading import EventCode, Rung, Sample
from edgenode.sensing.ladder import AGAIN_FIRST_MS, AGAIN_MOST_MS
from edgenode.sensing.rungs import Tally
from tests.support.levers import Rig
from tests.support.sensing import Bench

ALL = ("nine-clocks", "power", "usb")


def test_rungs_are_climbed_from_the_gentlest_with_time_between_to_show_their_effect() -> None:
    rig = Rig(*ALL)
    rig.fail(BusError("no acknowledge"))
    rig.run(120_000)
    assert [name for name, _ in rig.levers.pulled] == list(ALL)
    times = [t_ms for _, t_ms in rig.levers.pulled]
    assert times[0] >= 10_000 + 10_000  # ten seconds after the first slot
    assert all(late - early >= 10_000 for early, late in itertools.pairwise(times))


def test_no_rung_is_climbed_before_every_sensor_was_tried_after_the_one_before() -> None:
    rig = Rig(*ALL, every_ms=40_000)
    tried_ms: list[int] = []  # at each rung, when who was asked first was asked last

    def in_vain() -> Outcome:
        tried_ms.append(min(runner.tried_ms or 0 for runner in rig.worker._runners))
        return Outcome(done=True, words="in vain")

    rig.levers.effects = dict.fromkeys(ALL, in_vain)
    rig.fail(BusError("no acknowledge"))
    rig.run(300_000)
    times = [t_ms for _, t_ms in rig.levers.pulled]
    assert len(times) == 3
    assert all(asked > rung for rung, asked in zip(times, tried_ms[1:], strict=False))


def test_a_lever_of_a_bus_that_was_well_for_long_rests_ten_minutes_again() -> None:
    rig = Rig("nine-clocks", every_ms=30_000)
    for _ in range(2):
        rig.fail(BusError("no acknowledge"))
        rig.levers.pulled.clear()
        rig.run(2_000_000)
        rig.fail(None)
        rig.run(13 * 3_600_000)
        first, second = (t_ms for _, t_ms in rig.levers.pulled[:2])
        assert AGAIN_FIRST_MS <= second - first < AGAIN_FIRST_MS + 120_000


def test_a_lever_rests_ten_minutes_at_first_and_six_hours_at_last() -> None:
    rig = Rig("nine-clocks", every_ms=30_000)
    rig.fail(BusError("no acknowledge"))
    rig.run(48 * 3_600_000)
    times = [t_ms for _, t_ms in rig.levers.pulled]
    gaps = [late - early for early, late in itertools.pairwise(times)]
    assert AGAIN_FIRST_MS <= gaps[0] < AGAIN_FIRST_MS + 120_000
    assert AGAIN_MOST_MS <= max(gaps) < AGAIN_MOST_MS + 120_000
    assert len(times) < 14


def test_the_rung_that_helped_is_told_and_counted() -> None:
    rig = Rig(*ALL)
    rig.fail(BusStuck("SDA is held low"))
    rig.levers.effects["power"] = rig.heal
    rig.run(120_000)
    assert [name for name, _ in rig.levers.pulled] == ["nine-clocks", "power"]
    assert rig.told(EventCode.BUS_STUCK) == [None]
    assert rig.told(EventCode.BUS_RECOVERED) == [Rung.POWER]
    stats = rig.worker.stats()
    assert stats.rungs["power"] == Tally(1, 1)
    assert stats.rungs["nine-clocks"] == Tally(1, 0)
    assert stats.levers[1].last == "that did it"
    assert stats.silent_since_ms is None
    assert {sensor.state for sensor in stats.sensors} == {"ok"}


def test_after_a_rung_every_sensor_is_opened_anew_at_its_next_slot() -> None:
    rig = Rig("power")
    rig.fail(BusError("no acknowledge"))
    rig.levers.effects["power"] = rig.heal
    while not rig.levers.pulled:
        rig.run(1000)
    rig.run(2000)
    assert rig.worker.stats().sensors[0].state == "ok"


def test_one_sensor_that_answers_keeps_every_lever_at_rest() -> None:
    rig = Rig(*ALL)
    rig.bench.error = BusError("no acknowledge")
    rig.run(3_600_000)
    assert rig.levers.pulled == []
    assert rig.worker.stats().silent_since_ms is None


def test_garbage_is_an_answer_of_a_bus_that_works() -> None:
    rig = Rig(*ALL)
    rig.fail(BadFrame("checksum"))
    rig.run(3_600_000)
    assert rig.levers.pulled == []


def test_a_silent_bus_without_levers_says_since_when() -> None:
    rig = Rig()
    rig.run(5_000)
    rig.fail(BusError("no acknowledge"))
    rig.run(60_000)
    assert rig.worker.stats().silent_since_ms == 15_500
    assert EventCode.BUS_STUCK not in rig.sink.codes()
    rig.fail(None)
    rig.run(60_000)
    assert EventCode.BUS_RECOVERED not in rig.sink.codes()


def test_a_held_wire_that_lets_go_by_itself_was_got_back_by_reopening() -> None:
    rig = Rig()
    rig.fail(BusStuck("SDA is held low"))
    rig.run(30_000)
    rig.fail(None)
    rig.run(60_000)
    assert rig.told(EventCode.BUS_RECOVERED) == [Rung.REOPEN]


@pytest.mark.parametrize("how", ["words", "exception"])
def test_a_lever_that_fails_is_counted_and_the_next_one_is_used(how: str) -> None:
    def broken() -> Outcome:
        if how == "exception":
            raise RuntimeError("a defect")
        return Outcome(done=False, words="permission denied")

    rig = Rig(*ALL)
    rig.fail(BusError("no acknowledge"))
    rig.levers.effects["nine-clocks"] = broken
    rig.run(60_000)
    clear, power, _ = rig.worker.stats().levers
    assert (clear.tried, clear.failed) == (1, 1)
    assert clear.last in {"permission denied", "RuntimeError: a defect"}
    assert power.tried == 1


def test_lost_and_found_are_told_once_each_however_many_rungs() -> None:
    rig = Rig(*ALL)
    rig.fail(BusError("no acknowledge"))
    rig.levers.effects["usb"] = rig.heal
    rig.run(300_000)
    assert len(rig.told(EventCode.SENSOR_LOST)) == 2
    assert len(rig.told(EventCode.SENSOR_FOUND)) == 2


def test_a_failed_read_is_tried_once_more_and_a_lucky_one_is_no_loss() -> None:
    rig = Rig()
    rig.run(2_000)
    rig.bench.error = BusError("a spark")
    real = rig.bench.sample
    rig.bench.made[0].script = lambda now_ms: _healed(rig.bench, now_ms, real)
    rig.run(3_000)
    sensor = rig.worker.stats().sensors[0]
    assert sensor.rungs["retry"] == Tally(1, 1)
    assert sensor.reasons == {"no-answer": 1}
    assert rig.sink.events == []
    assert all(sample.values == (20.0,) for _, sample in rig.sink.of(1))


def _healed(bench: Bench, now_ms: int, real: Callable[[int], Sample]) -> Sample:
    """Fail once."""
    error, bench.error = bench.error, None
    if error:
        raise error
    return real(now_ms)


@pytest.mark.parametrize(
    ("takes_ms", "other_in_ms", "tried"),
    [
        (200, 500, 1),  # of a budget of 500
        (200, 350, 0),  # the other sensor's slot would wait
        (251, 999, 0),  # the budget does not hold twice as much
    ],
)
def test_a_read_is_tried_again_only_where_that_costs_nobody_anything(
    takes_ms: int, other_in_ms: int, tried: int
) -> None:
    rig = Rig(other_in_ms=other_in_ms)
    rig.run(2_000)
    rig.bench.error, rig.bench.takes_ms = BusError("gone"), takes_ms
    rig.worker.turn()
    sensors = {sensor.sensor: sensor for sensor in rig.worker.stats().sensors}
    assert sensors["s1"].rungs["retry"].tried == tried


def test_a_power_pin_that_cannot_be_had_is_seen_and_asked_for_again_each_minute() -> None:
    def absent() -> Outcome:
        return Outcome(done=False, words="no such chip", usable=False)

    rig = Rig("nine-clocks", "power")
    rig.levers.effects["supply"] = absent
    rig.worker._ladder.begin(1)
    rig.run(59_000)
    clear, power = rig.worker.stats().levers
    assert (clear.usable, power.usable, power.last) == (True, False, "no such chip")
    assert (power.tried, power.failed, rig.levers.supplied) == (0, 1, 1)
    rig.run(120_000)
    assert rig.levers.supplied == 3
    del rig.levers.effects["supply"]
    rig.run(600_000)
    assert rig.worker.stats().levers[1].usable
    assert rig.levers.supplied == 4


def test_a_lever_that_could_do_nothing_is_not_one_that_cannot_be_used() -> None:
    rig = Rig("nine-clocks")
    rig.fail(BusError("no acknowledge"))
    rig.levers.effects["nine-clocks"] = lambda: Outcome(done=False, words="SCL is held low")
    rig.run(60_000)
    (lever,) = rig.worker.stats().levers
    assert (lever.tried, lever.failed, lever.usable) == (1, 1, True)


def test_the_supply_is_switched_on_when_the_thread_begins() -> None:
    rig = Rig("power")
    rig.worker._halt.set()
    rig.worker.run()
    assert rig.levers.supplied == 1
