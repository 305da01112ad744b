"""What is read between the slots of a household's meter is seen here and does not leave."""

from __future__ import annotations

from edgenode.reading import Event, EventCode, Sample
from edgenode.sensing import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch
from tests.support.clock import FakeClock
from tests.support.sensing import FakeDriver, FakeSink, group_of

QUARTER_MS = 900_000


def runner_of(sink: FakeSink, clock: FakeClock, sample: Sample, *, slots_only: bool) -> Runner:
    job = Job(
        "s1",
        group_of(FakeDriver, 1),
        lambda: FakeDriver(lambda _: sample),
        QUARTER_MS,
        stamp_ms=50,
        slots_only=slots_only,
    )
    return Runner(job, sink, clock, Watch(sink, clock), Lateness())


def rows(*, slots_only: bool) -> tuple[list[int], Runner]:
    """Return when rows were kept: a start off the grid, a read on demand, and two slots."""
    sink, clock = FakeSink(), FakeClock(boot_ms=QUARTER_MS + 100_000)
    runner = runner_of(sink, clock, Sample((20.0,)), slots_only=slots_only)
    runner.serve(clock.boot_ms())
    clock.advance(60_000)
    runner.demand(clock.boot_ms())
    for _ in range(2):
        clock.advance(runner.schedule.due_ms - clock.boot_ms())
        runner.serve(clock.boot_ms())
    return [t_ms for t_ms, _ in sink.of(1)], runner


def test_only_slots_of_a_household_are_kept() -> None:
    kept, _ = rows(slots_only=True)
    assert kept == [2 * QUARTER_MS, 3 * QUARTER_MS]
    everything, _ = rows(slots_only=False)
    assert len(everything) == 4


def test_whoever_stands_there_sees_what_was_read_between_them() -> None:
    sink, clock = FakeSink(), FakeClock(boot_ms=QUARTER_MS + 100_000)
    runner = runner_of(sink, clock, Sample((21.5,)), slots_only=True)
    runner.serve(clock.boot_ms())
    assert runner.record.newest is not None
    assert not sink.rows


def test_what_happened_is_told_all_the_same() -> None:
    sink, clock = FakeSink(), FakeClock(boot_ms=QUARTER_MS + 100_000)
    told = Sample((20.0,), events=(Event(EventCode.COUNTER_RESET, 0, (5, 1, 0, 4)),))
    runner_of(sink, clock, told, slots_only=True).serve(clock.boot_ms())
    assert sink.codes() == [EventCode.COUNTER_RESET]
    assert not sink.rows
