"""What a part knows of the time reaches the clock of the node, by reads and by feeding."""

from __future__ import annotations

from typing import ClassVar

from edgenode.reading import Anchor, ClockSource
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch
from tests.support.clock import FakeClock
from tests.support.sensing import Bench, FakeCounter, FakeDriver


class Knowing(FakeDriver):
    """A part that knows the time, once."""

    known: ClassVar[list[Anchor]] = []

    def instant(self) -> Anchor | None:
        return self.known.pop() if self.known else None


class KnowingTalker(FakeCounter):
    """One that says so between reads."""

    known: Anchor | None = None

    def instant(self) -> Anchor | None:
        return self.known


def runner(bench: Bench, driver: FakeDriver | None = None) -> Runner:
    job = bench.job()
    if driver:
        job = type(job)(**{**vars(job), "driver": lambda: driver})
    return Runner(job, bench.sink, bench.clock, Watch(bench.sink, bench.clock), Lateness())


def moment(clock: FakeClock) -> Anchor:
    return Anchor(clock.boot_ms(), 1_795_478_400_000, ClockSource.GNSS, 550)


def test_a_read_tells_the_clock_what_its_part_knows() -> None:
    bench = Bench()
    bench.cls = Knowing
    one = runner(bench)
    one.serve(bench.clock.boot_ms())
    assert bench.clock.told() is None
    Knowing.known.append(moment(bench.clock))
    one.demand(bench.clock.boot_ms())
    assert bench.clock.told() == moment(bench.clock)


def test_so_does_feeding_between_two_reads() -> None:
    bench, talker = Bench(), KnowingTalker()
    bench.cls = FakeCounter
    one = runner(bench, talker)
    one.serve(bench.clock.boot_ms())
    assert bench.clock.told() is None
    talker.known = moment(bench.clock)
    talker.pulse()
    one.feed(bench.clock.boot_ms())
    assert bench.clock.told() == moment(bench.clock)
    one.close()
