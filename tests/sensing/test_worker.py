"""The thread of a bus: every sensor in its slot, talkers heard, a hang noticed from outside."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.reading import Event, EventCode, Sample
from edgenode.sensing import BusWorker, Job, SensorRules
from edgenode.sensing.worker import REST_MS, WAIT_MOST_MS
from tests.support.clock import FakeClock
from tests.support.descriptors import open_descriptors
from tests.support.sensing import Bench, FakeCounter, FakeSink, Hanging, group_of
from tests.support.spools import opened

DEADLINE_S = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fail when it does not come true."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def counter_job(gid: int, counter: FakeCounter, every_ms: int = 1000) -> Job:
    return Job(f"s{gid}", group_of(FakeCounter, gid), lambda: counter, every_ms, stamp_ms=50)


def test_each_sensor_is_served_at_once_and_then_in_its_own_phase(stop: threading.Event) -> None:
    bench = Bench(FakeClock(10_001))
    jobs = [bench.job(1, 1000, 0), bench.job(2, 1000, 500)]
    worker = BusWorker("b", jobs, bench.sink, bench.clock, stop)
    for _ in range(4):
        bench.clock.advance(worker.turn() - bench.clock.boot)
    worker.turn()
    assert [(gid, t_ms) for gid, t_ms, _ in bench.sink.rows] == [
        (2, 10_001),
        (1, 10_000),
        (2, 10_500),
        (1, 11_000),
        (2, 11_500),
        (1, 12_000),
    ]
    assert worker.progress == 5


def test_one_slow_sensor_delays_its_bus_and_the_others_skip_what_they_missed(
    stop: threading.Event,
) -> None:
    slow, quick = Bench(), Bench()
    quick.clock, quick.sink = slow.clock, slow.sink
    slow.takes_ms = 400
    jobs = [slow.job(1, 1000), quick.job(2, 100, 50)]
    worker = BusWorker("b", jobs, slow.sink, slow.clock, stop)
    worker.turn()
    slow.clock.advance(worker.turn() - slow.clock.boot)
    assert worker.stats().sensors[1].missed == 3
    assert worker.stats().lateness_ms_p99 == 50


def test_a_talker_is_heard_at_once_and_its_total_is_current(stop: threading.Event) -> None:
    sink, counter = FakeSink(), FakeCounter()
    worker = BusWorker("b", [counter_job(1, counter)], sink, SystemClock(), stop)
    worker.start()
    until(lambda: len(sink.rows) == 1)
    counter.pulse(3)
    until(lambda: sink.totals["s1/count"].value == 3)
    assert len(sink.rows) <= 2
    stop.set()
    worker.wake()
    worker.join(DEADLINE_S)
    assert counter.closed == 1


def test_a_chatterbox_is_heard_fifty_times_a_second_at_most() -> None:
    sink, counter, clock = FakeSink(), FakeCounter(), FakeClock()
    worker = BusWorker("b", [counter_job(1, counter, 60_000)], sink, clock, threading.Event())
    clock.advance(worker.turn() - clock.boot)
    worker.turn()
    for _ in range(100):
        counter.pulse()
        worker.listen(clock.boot_ms())
        clock.advance(1)
    assert counter.fed == 100 // REST_MS
    assert counter.count == 100


def test_a_talker_that_was_reopened_is_heard_again() -> None:
    sink, clock = FakeSink(), FakeClock()
    made: list[FakeCounter] = []

    def factory() -> FakeCounter:
        made.append(FakeCounter())
        return made[-1]

    job = Job("s1", group_of(FakeCounter, 1), factory, 1000, stamp_ms=50)
    worker = BusWorker("b", [job], sink, clock, threading.Event())
    worker.turn()
    made[0].script = lambda _: 1 // 0  # type: ignore[assignment,return-value]
    for _ in range(3):
        clock.advance(1000)
        worker.turn()
    assert len(made) == 2
    made[1].pulse(4)
    worker.listen(clock.boot_ms())
    assert sink.totals["s1/count"].value == 4


def test_a_talker_whose_line_lives_on_is_heard_again_under_its_old_descriptor() -> None:
    clock, made = FakeClock(), [FakeCounter()]
    line = os.dup(made[0].ready)  # as the store of lines holds it

    def factory() -> FakeCounter:
        if made[-1].closed:
            made.append(FakeCounter())
            os.close(made[-1].ready)
            made[-1].ready = os.dup2(line, made[0].ready)
        return made[-1]

    job = Job("s1", group_of(FakeCounter, 1), factory, 1000, stamp_ms=50)
    worker = BusWorker("b", [job], FakeSink(), clock, threading.Event())
    worker.turn()
    made[0].script = lambda _: 1 // 0  # type: ignore[assignment,return-value]
    for _ in range(3):
        clock.advance(1000)
        worker.turn()
    assert len(made) == 2
    made[1].pulse(4)
    worker.listen(clock.boot_ms())
    assert made[1].fed == 1
    os.close(line)


def test_a_hanging_read_is_noticed_from_outside_and_stops_its_own_bus_alone(
    stop: threading.Event,
) -> None:
    clock, sink, hanging, bench = SystemClock(), FakeSink(), Hanging(), Bench()
    stuck_job = Job("s9", group_of(Hanging, 9), lambda: hanging, 20, stamp_ms=5)
    stuck = BusWorker("stuck", [stuck_job], sink, clock, stop)
    well_job = Job("s1", group_of(bench.cls, 1), bench.factory, 20, stamp_ms=5)
    well = BusWorker("well", [well_job], sink, clock, stop)
    stuck.start()
    well.start()
    until(hanging.inside.is_set)
    until(stuck.check)
    rows = len(sink.of(1))
    until(lambda: len(sink.of(1)) > rows + 5)
    assert not well.check()
    assert stuck.stats().stuck
    assert sink.codes() == [EventCode.BUS_STUCK]
    hanging.release.set()
    until(lambda: len(sink.events) >= 3)
    assert sink.codes()[:3] == [
        EventCode.BUS_STUCK,
        EventCode.BUS_RECOVERED,
        EventCode.SENSOR_LOST,
    ]
    assert stuck.stats().times_stuck >= 1


def test_stopping_ends_the_wait_and_closes_every_sensor(stop: threading.Event) -> None:
    bench = Bench()
    job = Job("s1", group_of(bench.cls, 1), bench.factory, 10, stamp_ms=5)
    worker = BusWorker("b", [job], bench.sink, SystemClock(), stop)
    worker.start()
    until(lambda: len(bench.sink.rows) > 1)
    stop.set()
    worker.wake()
    worker.join(DEADLINE_S)
    assert not worker.is_alive()
    assert bench.made[0].closed == 1


def test_a_worker_that_has_ended_holds_no_descriptor_and_may_still_be_woken() -> None:
    """As after a reload: what is no longer used is collected much later."""
    gc.collect()  # what earlier tests left, lest it goes meanwhile
    before, stop, bench = open_descriptors(), threading.Event(), Bench()
    worker = BusWorker("b", [bench.job()], bench.sink, bench.clock, stop)
    worker.start()
    stop.set()
    worker.wake()
    worker.join(5)
    assert open_descriptors() == before
    worker.wake()


def test_a_question_wakes_the_thread_and_is_answered_long_before_the_next_slot(
    stop: threading.Event,
) -> None:
    bench = Bench()
    job = Job("s1", group_of(bench.cls, 1), bench.factory, 3_600_000, stamp_ms=5)
    worker = BusWorker("b", [job], bench.sink, SystemClock(), stop)
    worker.start()
    until(lambda: len(bench.sink.rows) == 1)
    until(lambda: worker.ask("s1", DEADLINE_S).fresh)  # not within its first millisecond
    assert len(bench.sink.rows) == 2
    stop.set()
    worker.wake()
    worker.join(DEADLINE_S)


def test_a_bus_without_sensors_waits_without_spinning(stop: threading.Event) -> None:
    clock = FakeClock()
    worker = BusWorker("b", [], FakeSink(), clock, stop)
    assert worker.turn() == clock.boot_ms() + WAIT_MOST_MS


def test_the_thread_has_a_name_and_never_keeps_the_process_alive(stop: threading.Event) -> None:
    worker = BusWorker("i2c-1", [], FakeSink(), FakeClock(), stop)
    assert worker.name == "bus-i2c-1"
    assert worker.daemon


def test_a_worker_that_cannot_be_made_says_why_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    bench = Bench()
    job = replace(bench.job(), rules=SensorRules(derived=("nonsense",)))
    with pytest.raises(KeyError, match="nonsense"):
        BusWorker("b", [job], bench.sink, bench.clock, threading.Event())
    gc.collect()
    assert ignored == []


def test_an_event_that_is_none_between_two_reads_costs_its_own_sensor_only() -> None:
    bench = Bench()
    bench.cls = FakeCounter
    talker = FakeCounter()
    bench.made.append(talker)
    job = Job("s1", group_of(FakeCounter, 1), lambda: talker, 1000, stamp_ms=50)
    worker = BusWorker("b", [job], bench.sink, bench.clock, threading.Event())
    worker.turn()
    talker.feed = lambda _: [Event(1, value="open")]  # type: ignore[arg-type, method-assign, assignment]
    talker.pulse()
    worker.listen(0)
    stats = worker.stats().sensors[0]
    assert (stats.state, bench.sink.codes()) == ("faulty", [EventCode.SENSOR_LOST])
    assert "gave an event that is none" in stats.detail


@pytest.mark.parametrize(
    "sample",
    [
        Sample((20.0,), (99,)),  # type: ignore[arg-type]
        Sample((20.0,), events=(Event(1, value="open"),)),  # type: ignore[arg-type]
        Sample((20.0,), events=(Event(1, value=(1, float("nan"))),)),  # type: ignore[arg-type]
        Sample((20.0,), events=(Event(1, channel=-1),)),
        Sample(("20",)),  # type: ignore[arg-type]
        Sample(()),
        None,
    ],
    ids=["quality", "text", "no-number", "channel", "value", "width", "nothing"],
)
def test_whatever_a_driver_gives_costs_its_own_sensor_only(tmp_path: Path, sample: Sample) -> None:
    bench = Bench()
    jobs = [bench.job(1), bench.job(2)]
    groups = {job.group.gid: job.group for job in jobs}
    spool = opened(tmp_path, bench.clock, groups=groups)
    bench.sink = spool  # type: ignore[assignment]
    worker = BusWorker("b", jobs, spool, bench.clock, threading.Event())
    worker.turn()
    bench.made[0].script = lambda _: sample
    bench.clock.advance(1000)
    worker.turn()
    states = [sensor.state for sensor in worker.stats().sensors]
    assert sorted(states) == ["faulty", "ok"]
    assert spool.stats().readings == 4 + 1, "a row for each slot, none twice, and sensor-lost"
    spool.close()
