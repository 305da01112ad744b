"""A sensor without a descriptor is fed at its own pace, whatever its slots are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import ClassVar

from edgenode.errors import BusError
from edgenode.reading import Event, Sample
from edgenode.sensing import Job
from edgenode.sensing.worker import BusWorker
from tests.support.clock import FakeClock
from tests.support.sensing import FakeDriver, FakeSink, group_of


class Paced(FakeDriver):
    """Must be looked after once a second."""

    pace_s: ClassVar[float] = 1.0

    def __init__(self) -> None:
        super().__init__(lambda _: Sample((20.0,)))
        self.fed_ms: list[int] = []
        self.broken: BusError | None = None

    def fileno(self) -> int:
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        if self.broken:
            raise self.broken
        self.fed_ms.append(now_ms)
        return ()


def paced_worker(clock: FakeClock, sensor: Paced) -> BusWorker:
    job = Job("s1", group_of(Paced, 1), lambda: sensor, 10_000, stamp_ms=50)
    return BusWorker("b", [job], FakeSink(), clock, threading.Event())


def play(worker: BusWorker, clock: FakeClock, step_ms: int, steps: int) -> None:
    for _ in range(steps):
        worker.turn()
        worker.wake()  # so that it waits for nothing but its time
        worker.listen(clock.boot_ms())
        clock.advance(step_ms)


def test_it_is_fed_each_second_between_its_slots() -> None:
    clock, sensor = FakeClock(), Paced()
    play(paced_worker(clock, sensor), clock, 10, 1001)
    gaps = {after - before for before, after in zip(sensor.fed_ms, sensor.fed_ms[1:], strict=False)}
    assert len(sensor.fed_ms) == 10
    assert gaps == {1000}


def test_times_that_were_missed_are_skipped_and_the_grid_is_kept() -> None:
    clock, sensor = FakeClock(), Paced()
    play(paced_worker(clock, sensor), clock, 700, 11)
    seconds = [fed // 1000 for fed in sensor.fed_ms]
    assert seconds == sorted(set(seconds)), "never twice for one time"
    assert len(seconds) == 7


def test_one_that_is_lost_while_it_is_fed_is_fed_again_when_it_is_back() -> None:
    clock, sensor = FakeClock(), Paced()
    worker = paced_worker(clock, sensor)
    play(worker, clock, 100, 15)
    sensor.broken = BusError("fake: unplugged")
    play(worker, clock, 100, 10)
    fed = len(sensor.fed_ms)
    assert sensor.closed
    sensor.broken = None
    play(worker, clock, 100, 200)
    assert len(sensor.fed_ms) > fed + 5
