"""One sensor through its life: found late, read in time, lost once, given up with backoff."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from edgenode.errors import BadFrame, BusError, BusTimeout, Reason, WrongDevice
from edgenode.reading import EventCode, Quality, Sample
from edgenode.sensing.breaker import BACKOFF_MOST_MS
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.stats import SensorStats, sensor_stats
from edgenode.sensing.watch import Watch
from tests.support.sensing import Bench, FakeDriver, SlowToSettle


@pytest.fixture
def bench() -> Bench:
    return Bench()


def runner_of(bench: Bench) -> Runner:
    watch = Watch(bench.sink, bench.clock)
    return Runner(bench.job(), bench.sink, bench.clock, watch, Lateness())


def stats(runner: Runner) -> SensorStats:
    return sensor_stats(runner, runner._clock.boot_ms())


def serve(bench: Bench, runner: Runner, slots: int = 1) -> None:
    """Let the clock reach each next slot and serve it."""
    for _ in range(slots):
        bench.clock.advance(max(0, runner.schedule.due_ms - bench.clock.boot))
        runner.serve(bench.clock.boot_ms())


def test_a_sensor_is_opened_with_its_first_read_not_before(bench: Bench) -> None:
    runner = runner_of(bench)
    assert not bench.made
    serve(bench, runner, 3)
    assert len(bench.made) == 1
    assert [sample.values for _, sample in bench.sink.of(1)] == [(20.0,)] * 3
    assert bench.sink.events == []
    assert stats(runner).state == "ok"


def test_rows_are_stamped_with_their_slots(bench: Bench) -> None:
    runner = runner_of(bench)
    serve(bench, runner)
    bench.clock.advance(1007)
    runner.serve(bench.clock.boot_ms())
    bench.clock.advance(1200)
    runner.serve(bench.clock.boot_ms())
    assert [t_ms for t_ms, _ in bench.sink.of(1)] == [10_000, 11_000, 12_207]


def test_a_sample_is_stamped_when_its_read_began_not_when_its_sensor_was_opened(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, make = runner_of(bench), bench.factory

    def slow() -> FakeDriver:
        bench.clock.advance(3100)
        return make()

    monkeypatch.setattr(runner, "job", replace(runner.job, driver=slow))
    serve(bench, runner, 3)
    assert [t_ms for t_ms, _ in bench.sink.of(1)] == [13_100, 14_000, 15_000]


def test_a_sensor_that_was_never_there_is_lost_once_and_every_slot_has_its_row(
    bench: Bench,
) -> None:
    bench.error = BusError("no acknowledge")
    runner = runner_of(bench)
    serve(bench, runner, 20)
    rows = bench.sink.of(1)
    assert len(rows) == 20
    assert {sample.quality for _, sample in rows} == {(Quality.MISSING,)}
    assert {sample.values for _, sample in rows} == {(None,)}
    assert bench.sink.codes() == [EventCode.SENSOR_LOST]
    assert bench.sink.events[0][2].value == Reason.NO_ANSWER
    assert bench.sink.events[0][2].channel == 255


def test_reopening_backs_off_from_one_second_to_a_minute(bench: Bench) -> None:
    bench.error = BusError("no acknowledge")
    runner = runner_of(bench)
    tried = []
    for slot in range(300):
        before = stats(runner).opens
        serve(bench, runner)
        if stats(runner).opens > before:
            tried.append(slot)
    gaps = [late - early for early, late in itertools.pairwise(tried)]
    assert gaps[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(gaps[7:]) == {BACKOFF_MOST_MS // 1000}


def test_lost_and_found_are_told_once_each_with_the_reason(bench: Bench) -> None:
    runner = runner_of(bench)
    serve(bench, runner, 2)
    bench.error = BusTimeout("no answer in time")
    serve(bench, runner, 5)
    bench.error = None
    serve(bench, runner, 40)
    assert bench.sink.codes() == [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]
    assert bench.sink.events[0][2].value == Reason.TIMEOUT
    assert len(bench.made) == 2
    assert bench.made[0].closed == 1
    assert stats(runner).state == "ok"


def lost_before(bench: Bench) -> Runner:
    """A sensor of which an earlier worker has told that it is lost."""
    job = replace(bench.job(), lost="not read since")
    return Runner(job, bench.sink, bench.clock, Watch(bench.sink, bench.clock), Lateness())


def test_what_was_lost_before_is_told_when_it_is_found(bench: Bench) -> None:
    runner = lost_before(bench)
    assert (stats(runner).state, stats(runner).detail) == ("lost", "not read since")
    serve(bench, runner, 2)
    assert bench.sink.codes() == [EventCode.SENSOR_FOUND]
    assert stats(runner).state == "ok"
    assert [sample.values for _, sample in bench.sink.of(1)] == [(20.0,)] * 2


def test_what_was_lost_before_and_still_is_is_not_told_again(bench: Bench) -> None:
    runner = lost_before(bench)
    bench.error = BusError("no acknowledge")
    serve(bench, runner, 5)
    assert bench.sink.codes() == []
    assert stats(runner).detail == "no acknowledge"


def test_backoff_begins_anew_after_a_good_read(bench: Bench) -> None:
    runner = runner_of(bench)
    bench.error = BusError("gone")
    serve(bench, runner, 10)
    bench.error = None
    serve(bench, runner, 20)
    bench.error = BusError("gone again")
    serve(bench, runner)
    bench.error = None
    serve(bench, runner)
    assert stats(runner).state == "ok"


@pytest.mark.parametrize(
    ("error", "quality"),
    [
        (BusError("x"), Quality.MISSING),
        (BusTimeout("x"), Quality.MISSING),
        (BadFrame("x"), Quality.FAULT),
        (WrongDevice("x"), Quality.FAULT),
        (ZeroDivisionError("x"), Quality.FAULT),
    ],
)
def test_silence_is_missing_and_nonsense_is_a_fault(
    bench: Bench, error: Exception, quality: Quality
) -> None:
    runner = runner_of(bench)
    serve(bench, runner)
    bench.error = error
    serve(bench, runner)
    assert bench.sink.of(1)[-1][1].quality == (quality,)


def test_a_defect_in_a_driver_marks_its_sensor_faulty_and_nothing_else(bench: Bench) -> None:
    bench.error = KeyError("oops")
    runner = runner_of(bench)
    serve(bench, runner)
    told = stats(runner)
    assert told.state == "faulty"
    assert told.reason == Reason.DRIVER_DEFECT
    assert "KeyError" in told.detail
    assert bench.sink.events[0][2].value == Reason.DRIVER_DEFECT


def test_a_driver_that_cannot_even_close_is_replaced_all_the_same(bench: Bench) -> None:
    class CannotClose(FakeDriver):
        def close(self) -> None:
            raise OSError(5, "close failed")

    bench.cls = CannotClose
    runner = runner_of(bench)
    serve(bench, runner)
    bench.error = BusError("gone")
    serve(bench, runner)
    bench.error = None
    serve(bench, runner, 2)
    assert stats(runner).state == "ok"
    assert len(bench.made) == 2


def test_the_wrong_number_of_values_is_a_defect_not_a_row(bench: Bench) -> None:
    class TwoForOne(FakeDriver):
        def read(self, now_ms: int) -> object:  # type: ignore[override]
            return type(super().read(now_ms))((1.0, 2.0))

    bench.cls = TwoForOne
    runner = runner_of(bench)
    serve(bench, runner)
    assert stats(runner).state == "faulty"
    assert "2 values for 1 channels" in stats(runner).detail
    assert bench.sink.of(1)[0][1].values == (None,)


def test_a_read_past_its_budget_is_not_a_reading_about_its_slot(bench: Bench) -> None:
    bench.takes_ms = 501
    runner = runner_of(bench)
    serve(bench, runner)
    assert bench.sink.of(1)[0][1].values == (None,)
    assert bench.sink.events[-1][2].value == Reason.TIMEOUT


def test_readings_are_settling_for_as_long_as_the_driver_says_after_each_opening(
    bench: Bench,
) -> None:
    bench.cls = SlowToSettle
    runner = runner_of(bench)
    serve(bench, runner, 4)
    settling, ok = (Quality.SETTLING,), ()
    assert [sample.quality for _, sample in bench.sink.of(1)] == [settling, settling, ok, ok]
    bench.error = BusError("unplugged")
    serve(bench, runner)
    bench.error = None
    serve(bench, runner)
    assert bench.sink.of(1)[-1][1].quality == settling
    assert stats(runner).state == "settling"


def test_a_value_the_sensor_cannot_mean_is_kept_and_marked(bench: Bench) -> None:
    bench.value = 50.1
    runner = runner_of(bench)
    serve(bench, runner)
    sample = bench.sink.of(1)[0][1]
    assert sample.values == (50.1,)
    assert sample.quality == (Quality.OUT_OF_RANGE,)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_never_becomes_one(bench: Bench, value: float | None) -> None:
    bench.value = value
    runner = runner_of(bench)
    serve(bench, runner)
    sample = bench.sink.of(1)[0][1]
    assert sample.values == (None,)
    assert sample.quality == (Quality.MISSING if value is None else Quality.FAULT,)


def test_missed_slots_are_counted_and_have_no_rows(bench: Bench) -> None:
    runner = runner_of(bench)
    serve(bench, runner)
    bench.clock.advance(5_400)
    runner.serve(bench.clock.boot_ms())
    assert stats(runner).missed == 4
    assert len(bench.sink.of(1)) == 2


def test_a_lost_sensor_that_opens_but_has_said_nothing_yet_is_not_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = runner_of(bench)
    bench.error = BusTimeout("silent for 40 s")
    serve(bench, runner, 2)
    bench.error = None
    unheard = Sample((None,), (Quality.SETTLING,))
    monkeypatch.setattr(bench, "sample", lambda _: unheard)
    serve(bench, runner, 5)
    assert bench.made, "it was opened again"
    assert stats(runner).state == "lost"
    monkeypatch.setattr(bench.made[-1], "script", lambda _: Sample((20.0,)))
    serve(bench, runner)
    assert bench.sink.codes() == [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]
