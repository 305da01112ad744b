"""A bus whose own thread hangs in a call: it is switched off and on from outside."""

from __future__ import annotations

import threading

from edgenode.bus.levers import Outcome
from edgenode.reading import EventCode, Rung
from edgenode.sensing import BusWorker, Job, Since
from edgenode.sensing.ladder import AGAIN_FIRST_MS, HUNG_MS
from edgenode.sensing.rungs import Tally
from edgenode.sensing.watch import Watch
from tests.support.levers import FakeLevers, Rig
from tests.support.sensing import Bench, FakeCounter, Hanging, group_of


class Hung:
    """A bus whose only thread hangs in a read, and the clock in a test's hand."""

    def __init__(self, *names: str, since_stuck: Since | None = None) -> None:
        self.bench, self.hanging = Bench(), Hanging()
        self.levers = FakeLevers(self.bench.clock, names)
        job = Job("s9", group_of(Hanging, 9), lambda: self.hanging, 1000, stamp_ms=50)
        self.worker = BusWorker(
            "b",
            [job],
            self.bench.sink,
            self.bench.clock,
            threading.Event(),
            levers=self.levers,
            since_stuck=since_stuck,
        )
        self.thread = threading.Thread(target=self.worker.turn, daemon=True)
        self.thread.start()
        assert self.hanging.inside.wait(5)
        self.bench.clock.advance(51)
        assert self.worker.check()

    def let_go(self) -> Outcome:
        self.hanging.release.set()
        return Outcome(done=True, words="off and on")

    def relieved(self) -> None:
        """Wait for who pulls the lever."""
        for thread in threading.enumerate():
            if thread.name == "relief":
                thread.join(5)


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
    hung.relieved()
    hung.worker.turn()
    assert hung.worker.stats().rungs["power"] == Tally(1, 1)


def test_sensors_that_talk_are_heard_again_though_their_descriptors_have_changed_hands() -> None:
    bench, hanging = Bench(), Hanging()
    talkers: list[FakeCounter] = []

    def opened() -> FakeCounter:
        talkers.append(FakeCounter())
        return talkers[-1]

    jobs = [
        Job("early", group_of(FakeCounter, 1), opened, 1000, stamp_ms=50),
        Job("late", group_of(FakeCounter, 2), opened, 1000, stamp_ms=50, phase_ms=500),
        Job("hangs", group_of(Hanging, 9), lambda: hanging, 1000, stamp_ms=50, phase_ms=500),
    ]
    levers = FakeLevers(bench.clock, ("power",))
    halt = threading.Event()
    worker = BusWorker("b", jobs, bench.sink, bench.clock, halt, levers=levers)
    hanging.release.set()
    worker.turn()
    hanging.release.clear()
    hanging.inside.clear()
    bench.clock.advance(1000)
    turn = threading.Thread(target=worker.turn, daemon=True)
    turn.start()
    assert hanging.inside.wait(5)
    bench.clock.advance(HUNG_MS + 600)  # now it is the other one whose slot comes first

    def power() -> Outcome:
        hanging.release.set()
        return Outcome(done=True, words="off and on")

    levers.effects["power"] = power
    assert worker.relieve()
    turn.join(5)
    for thread in threading.enumerate():
        if thread.name == "relief":
            thread.join(5)
    for _ in range(3):
        worker.turn()
        bench.clock.advance(500)
    anew = [talker for talker in talkers if not talker.closed]
    assert len(anew) == 2
    for talker in anew:
        talker.pulse()
    worker.listen(0)
    assert [talker.fed for talker in anew] == [1, 1]


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


def test_a_worker_that_ends_lets_a_lever_finish_before_its_lines_are_given_back() -> None:
    hung = Hung("power")
    off, on_again = threading.Event(), threading.Event()
    closed: list[bool] = []

    def slow() -> Outcome:
        off.set()
        on_again.wait(5)
        closed.append(hung.levers.closed)
        return Outcome(done=True, words="off and on")

    hung.levers.effects["power"] = slow
    hung.bench.clock.advance(HUNG_MS)
    assert hung.worker.relieve()
    assert off.wait(5)
    ending = threading.Thread(target=hung.worker._ladder.end)
    ending.start()
    ending.join(0.05)
    on_again.set()
    ending.join(5)
    assert (closed, hung.levers.closed) == ([False], True)
    hung.let_go()
    hung.thread.join(5)


def test_a_well_bus_or_one_without_a_switch_is_left_alone() -> None:
    rig = Rig("nine-clocks", "power")
    rig.run(5_000)
    assert not rig.worker.relieve()
    hung = Hung("nine-clocks")
    hung.bench.clock.advance(HUNG_MS)
    assert not hung.worker.relieve()
    hung.let_go()
    hung.thread.join(5)


def test_what_helped_the_last_time_is_not_said_to_have_helped_this_time() -> None:
    bench = Bench()
    watch = Watch(bench.sink, bench.clock)
    watch.rung = Rung.POWER  # pulled at the very moment the call came back
    with watch.budget(9, 1.0):
        bench.clock.advance(1_001)
        assert watch.check()
    assert bench.sink.events[-1][2].value == Rung.BY_ITSELF
