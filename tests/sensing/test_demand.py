"""Reading because somebody asks: a row like any other, never too soon, never waiting for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ClassVar

import pytest

from edgenode.errors import BusError, NodeError
from edgenode.reading import EventCode, Quality
from edgenode.sensing import Answer, BusWorker
from tests.support.sensing import Bench, FakeDriver, Hanging

WAIT_S = 5.0


class Unhurried(FakeDriver):
    """May be read every two seconds."""

    fastest_s: ClassVar[float] = 2.0


class Rig:
    """One sensor every ten seconds; its thread is the test, another one asks."""

    def __init__(self, cls: type[FakeDriver] = FakeDriver) -> None:
        self.bench = Bench()
        self.bench.cls = cls
        self.clock, self.sink = self.bench.clock, self.bench.sink
        jobs = [self.bench.job(1, 10_000)]
        self.worker = BusWorker("b", jobs, self.sink, self.clock, threading.Event())
        self.asker = ThreadPoolExecutor(2)

    def ask(self, timeout_s: float = WAIT_S) -> Future[Answer]:
        """Ask in another thread, and return once the question waits or is answered."""
        future = self.asker.submit(self.worker.ask, "s1", timeout_s)
        deadline = time.monotonic() + WAIT_S
        while not future.done() and self.worker._desk._request is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return future

    def turn(self, ms: int = 0) -> None:
        self.clock.advance(ms)
        self.worker.turn()


@pytest.fixture
def rig() -> Rig:
    found = Rig()
    found.turn()  # the first slot
    return found


def test_a_read_on_demand_is_a_row_of_its_own_moment_and_the_answer(rig: Rig) -> None:
    rig.clock.advance(3_210)
    rig.bench.value = 25.0
    future = rig.ask()
    rig.turn()
    answer = future.result(WAIT_S)
    assert (answer.values, answer.quality, answer.fresh) == ((25.0,), (0,), True)
    assert (answer.t_ms, answer.age_ms, answer.channels) == (13_210, 0, ("s1/temperature",))
    assert [t_ms for t_ms, _ in rig.sink.of(1)] == [10_000, 13_210]


def test_slots_go_on_as_if_nobody_had_asked(rig: Rig) -> None:
    rig.clock.advance(3_210)
    rig.ask()
    rig.turn()
    rig.turn(6_790)
    assert [t_ms for t_ms, _ in rig.sink.of(1)] == [10_000, 13_210, 20_000]
    assert rig.worker.stats().sensors[0].missed == 0


def test_rows_never_go_back_in_time(rig: Rig) -> None:
    rig.clock.advance(9_990)
    rig.bench.takes_ms = 30  # so that the read on demand begins before a slot and ends after it
    rig.ask()
    rig.turn()
    rig.turn()
    rig.turn(20)
    times = [t_ms for t_ms, _ in rig.sink.of(1)]
    assert times == sorted(times)
    assert len(times) == 3


def test_a_row_stamped_after_a_slot_keeps_that_slot_from_going_before_it(rig: Rig) -> None:
    runner = rig.worker._runners[0]
    rig.clock.advance(10_005)
    runner.demand(rig.clock.boot_ms())
    rig.turn(5)
    assert [t_ms for t_ms, _ in rig.sink.of(1)] == [10_000, 20_005, 20_010]


def test_what_may_not_be_read_so_soon_is_answered_with_its_age() -> None:
    rig = Rig(Unhurried)
    rig.turn()
    rig.clock.advance(1_999)
    answer = rig.ask().result(WAIT_S)
    assert (answer.fresh, answer.age_ms) == (False, 1_999)
    assert len(rig.sink.rows) == 1


def test_a_slot_that_is_near_answers_instead() -> None:
    rig = Rig(Unhurried)
    rig.turn()
    rig.clock.advance(8_500)
    future = rig.ask()
    rig.turn()
    assert len(rig.sink.rows) == 1
    rig.turn(1_500)
    answer = future.result(WAIT_S)
    assert (answer.t_ms, answer.fresh) == (20_000, True)
    assert len(rig.sink.rows) == 2


def test_a_lost_sensor_is_tried_at_once_without_touching_its_backoff(rig: Rig) -> None:
    rig.bench.error = BusError("unplugged")
    rig.turn(10_000)
    before = rig.worker.stats().sensors[0].retry_ms
    rig.clock.advance(100)
    future = rig.ask()
    rig.turn()
    answer = future.result(WAIT_S)
    assert (answer.values, answer.quality) == ((None,), (int(Quality.MISSING),))
    assert answer.detail == "unplugged"
    assert rig.worker.stats().sensors[0].retry_ms == before
    rig.bench.error = None
    rig.clock.advance(100)
    future = rig.ask()
    rig.turn()
    assert future.result(WAIT_S).values == (20.0,)
    assert rig.sink.codes() == [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]


def test_a_lost_sensor_does_not_wait_for_its_slot_which_may_not_try_it() -> None:
    rig = Rig(Unhurried)
    rig.turn()
    rig.bench.error = BusError("unplugged")
    rig.turn(10_000)
    rig.clock.advance(9_000)
    future = rig.ask()
    rig.turn()
    assert future.result(WAIT_S).t_ms == 29_000


def test_who_asks_waits_for_a_slot_that_is_due(rig: Rig) -> None:
    rig.clock.advance(100)
    future = rig.ask()
    desk = rig.worker._desk
    assert desk.serve(rig.clock.boot_ms()) is None
    assert not future.done()
    assert desk.serve(rig.clock.boot_ms() + 1) is not None
    assert future.result(WAIT_S).fresh


def test_one_question_waits_and_the_next_is_refused(rig: Rig) -> None:
    rig.clock.advance(100)
    first = rig.ask()
    with pytest.raises(NodeError, match="another read of this bus is waiting"):
        rig.worker.ask("s1", WAIT_S)
    rig.turn()
    assert first.result(WAIT_S).fresh


def test_a_question_ends_with_its_time_and_makes_room(rig: Rig) -> None:
    rig.clock.advance(100)
    with pytest.raises(NodeError, match=r"no answer within 0.01 s"):
        rig.worker.ask("s1", 0.01)
    rig.turn()
    assert len(rig.sink.rows) == 1
    future = rig.ask()
    rig.turn()
    assert future.result(WAIT_S).fresh


def test_a_sensor_of_another_bus_is_answered_with_those_there_are(rig: Rig) -> None:
    with pytest.raises(NodeError, match="no sensor s2 on this bus; there are: s1"):
        rig.worker.ask("s2", WAIT_S)


def test_a_stuck_bus_answers_at_once_also_who_already_waits() -> None:
    hanging = Hanging()
    rig = Rig(Hanging)
    rig.bench.made.append(hanging)
    object.__setattr__(rig.worker._runners[0].job, "driver", lambda: hanging)
    thread = threading.Thread(target=rig.worker.turn, daemon=True)
    thread.start()
    assert hanging.inside.wait(WAIT_S)
    waiting = rig.ask()
    rig.clock.advance(2_051)
    with pytest.raises(NodeError, match="stuck for 2 s"):
        waiting.result(WAIT_S)
    with pytest.raises(NodeError, match="stuck for 2 s"):
        rig.worker.ask("s1", WAIT_S)
    hanging.release.set()
    thread.join(WAIT_S)
