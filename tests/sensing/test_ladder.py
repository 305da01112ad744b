"""A bus of which nobody answers: one rung after another, each counted, none too often."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from edgenode.bus.levers import Levers, Outcome, Sleep
from edgenode.errors import BadFrame, BusError, BusStuck
from edgenode.reading import EventCode, Rung, Sample
from edgenode.sensing import BusWorker
from edgenode.sensing.ladder import AGAIN_FIRST_MS, AGAIN_MOST_MS, GRACE_MS, HUNG_MS
from edgenode.sensing.rungs import Tally
from tests.support.clock import FakeClock
from tests.support.sensing import Bench, Hanging, group_of


@dataclass
class FakeLevers(Levers):
    """Remembers which were pulled, and lets `effects` happen."""

    clock: FakeClock
    names: tuple[str, ...] = ("nine-clocks", "power", "usb")
    pulled: list[tuple[str, int]] = field(default_factory=list)
    effects: dict[str, Callable[[], Outcome]] = field(default_factory=dict)
    supplied: int = 0

    def __post_init__(self) -> None:
        self.usb_port = "1-1.2" if "usb" in self.names else ""

    @property
    def can_clear(self) -> bool:
        return "nine-clocks" in self.names

    @property
    def can_power(self) -> bool:
        return "power" in self.names

    def clear(self) -> Outcome:
        return self._pull("nine-clocks")

    def power_cycle(self, sleep: Sleep) -> Outcome:
        return self._pull("power")

    def usb_cycle(self, sleep: Sleep) -> Outcome:
        return self._pull("usb")

    def power_on(self) -> Outcome:
        self.supplied += 1
        return Outcome(done=True, words="on")

    def close(self) -> None:
        """Nothing is open."""

    def _pull(self, name: str) -> Outcome:
        self.pulled.append((name, self.clock.boot))
        effect = self.effects.get(name)
        return effect() if effect else Outcome(done=True, words=f"{name} was pulled")


class Rig:
    """A bus of two sensors, run by hand."""

    def __init__(self, *names: str, every_ms: int = 1000) -> None:
        self.bench, self.other = Bench(), Bench()
        self.clock = self.other.clock = self.bench.clock
        self.sink = self.other.sink = self.bench.sink
        self.levers = FakeLevers(self.clock, names)
        jobs = [
            self.bench.job(1, every_ms),
            self.other.job(2, every_ms, phase_ms=every_ms // 2),
        ]
        self.worker = BusWorker(
            "b", jobs, self.sink, self.clock, threading.Event(), levers=self.levers
        )

    def run(self, ms: int) -> None:
        until = self.clock.boot + ms
        while (due := self.worker.turn()) < until:
            self.clock.advance(max(1, due - self.clock.boot))
        self.clock.advance(until - self.clock.boot)

    def fail(self, error: Exception | None) -> None:
        self.bench.error = self.other.error = error

    def heal(self) -> Outcome:
        self.fail(None)
        return Outcome(done=True, words="that did it")

    def told(self, *codes: EventCode) -> list[object]:
        return [event.value for _, _, event in self.sink.events if event.code in codes]


ALL = ("nine-clocks", "power", "usb")


def test_rungs_are_climbed_from_the_gentlest_with_time_between_to_show_their_effect() -> None:
    rig = Rig(*ALL)
    rig.fail(BusError("no acknowledge"))
    rig.run(120_000)
    assert [name for name, _ in rig.levers.pulled] == list(ALL)
    times = [t_ms for _, t_ms in rig.levers.pulled]
    assert times[0] >= 10_000 + GRACE_MS
    assert all(late - early >= GRACE_MS for early, late in itertools.pairwise(times))


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


def test_nothing_is_tried_again_while_another_slot_waits_or_the_budget_is_spent() -> None:
    rig = Rig()
    rig.run(2_000)
    rig.fail(BusError("gone"))
    rig.bench.takes_ms = rig.other.takes_ms = 300  # of a budget of 500
    rig.run(3_000)
    assert rig.worker.stats().rungs["retry"].tried == 0


class Hung:
    """A bus whose only thread hangs in a read, and the clock in a test's hand."""

    def __init__(self, *names: str) -> None:
        self.bench, self.hanging = Bench(), Hanging()
        self.levers = FakeLevers(self.bench.clock, names)
        job = self.bench.job(9)
        job = type(job)("s9", group_of(Hanging, 9), lambda: self.hanging, 1000, stamp_ms=50)
        self.worker = BusWorker(
            "b", [job], self.bench.sink, self.bench.clock, threading.Event(), levers=self.levers
        )
        self.thread = threading.Thread(target=self.worker.turn, daemon=True)
        self.thread.start()
        assert self.hanging.inside.wait(5)
        self.bench.clock.advance(51)
        assert self.worker.check()

    def let_go(self) -> Outcome:
        self.hanging.release.set()
        return Outcome(done=True, words="off and on")


def test_a_hanging_bus_is_relieved_from_outside_after_a_minute() -> None:
    hung = Hung("nine-clocks", "power")
    hung.levers.effects["power"] = hung.let_go
    hung.bench.clock.advance(HUNG_MS - 2)
    assert not hung.worker.relieve()
    hung.bench.clock.advance(1)
    assert hung.worker.relieve()
    hung.thread.join(5)
    assert [name for name, _ in hung.levers.pulled] == ["power"]  # clocks need the bus thread
    told = [(e.code, e.value) for _, _, e in hung.bench.sink.events]
    assert (EventCode.BUS_RECOVERED, Rung.POWER) in told
    for thread in threading.enumerate():
        if thread.name == "relief":
            thread.join(5)
    hung.worker.turn()
    assert hung.worker.stats().rungs["power"] == Tally(1, 1)


def test_a_hanging_bus_is_not_relieved_twice_at_once_nor_too_often() -> None:
    hung = Hung("power")
    going, pulled = threading.Event(), threading.Event()

    def slow() -> Outcome:
        pulled.set()
        going.wait(5)
        return Outcome(done=True, words="off and on")

    hung.levers.effects["power"] = slow
    hung.bench.clock.advance(HUNG_MS)
    assert hung.worker.relieve()
    assert pulled.wait(5)
    hung.bench.clock.advance(AGAIN_FIRST_MS)
    assert not hung.worker.relieve()
    going.set()
    hung.let_go()
    hung.thread.join(5)
    assert hung.levers.pulled[1:] == []


def test_a_well_bus_or_one_without_a_switch_is_left_alone() -> None:
    rig = Rig(*ALL)
    rig.run(5_000)
    assert not rig.worker.relieve()
    hung = Hung("nine-clocks")
    hung.bench.clock.advance(HUNG_MS)
    assert not hung.worker.relieve()
    hung.let_go()
    hung.thread.join(5)


def test_the_supply_is_switched_on_when_the_thread_begins() -> None:
    rig = Rig("power")
    rig.worker._halt.set()
    rig.worker.run()
    assert rig.levers.supplied == 1
