"""What is remembered of a channel, and what it costs in room."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from edgenode.errors import BadFrame, BusError, NodeError, Reason
from edgenode.reading import Quality, Sample
from edgenode.sensing import (
    BusWorker,
    Calibration,
    ChannelRules,
    FailureStats,
    Job,
    Maintenance,
    SensorRules,
)
from edgenode.sensing.record import HISTORY, Record
from tests.support.sensing import Bench, SlowToSettle

NAME = "s1/temperature"


class Rig:
    """One sensor a second, by hand."""

    def __init__(self, rules: SensorRules | None = None) -> None:
        self.bench = Bench()
        job = self.bench.job()
        job = Job(**{**vars(job), "rules": rules or SensorRules()})
        self.maintenance = Maintenance()
        self.worker = BusWorker(
            "b",
            [job],
            self.bench.sink,
            self.bench.clock,
            threading.Event(),
            maintenance=self.maintenance,
        )

    def slots(self, *values: float) -> None:
        for value in values:
            self.bench.value = value
            self.worker.turn()
            self.bench.clock.advance(1000)


def test_before_the_first_sample_there_is_nothing_and_that_is_said() -> None:
    found = Rig().worker.evidence(NAME)
    assert (found.value, found.quality, found.t_ms, found.good_ms) == (None, None, None, None)
    assert (found.unchanged_reads, found.history) == (0, ())
    assert found.sensor.state == "unopened"


def test_the_newest_value_its_rate_and_how_long_it_stands_still() -> None:
    rig = Rig()
    rig.slots(20.0, 21.0, 21.0, 21.0)
    found = rig.worker.evidence(NAME)
    assert (found.value, found.quality, found.t_ms) == (21.0, 0, 13_000)
    assert (found.unchanged_since_ms, found.unchanged_reads) == (11_000, 3)
    assert found.rate_per_s == 0
    rig.slots(23.0)
    assert rig.worker.evidence(NAME).rate_per_s == 2.0
    assert found.history == ((10_000, 20.0), (11_000, 21.0), (12_000, 21.0), (13_000, 21.0))


def test_the_last_good_value_outlives_failures_and_bad_ones() -> None:
    rig = Rig()
    rig.slots(20.0, 99.0)
    rig.bench.error = BusError("unplugged")
    rig.slots(1.0)
    found = rig.worker.evidence(NAME)
    assert (found.value, found.quality) == (None, Quality.MISSING)
    assert (found.good_value, found.good_ms) == (20.0, 10_000)
    assert found.unchanged_since_ms == 11_000


def test_a_channel_that_cannot_be_believed_for_a_minute_is_doubted_until_it_is_good() -> None:
    rig = Rig()

    def doubted() -> dict[str, str]:
        return rig.worker.stats().sensors[0].doubted

    rig.slots(20.0, *[99.0] * 59)
    assert doubted() == {}, "a spike is none of a maintainer's business"
    rig.slots(99.0)
    assert doubted() == {"temperature": "out-of-range"}
    rig.slots(20.0)
    assert doubted() == {}
    rig.slots(*[99.0] * 70)
    rig.bench.error = BusError("unplugged")
    rig.slots(99.0)
    assert doubted() == {}, "a sensor that is lost is told of as lost"


def test_failures_are_told_by_reason_and_by_rung_with_the_next_try() -> None:
    rig = Rig()
    rig.slots(20.0)
    rig.bench.error = BadFrame("checksum")
    rig.slots(1.0, 1.0)
    sensor = rig.worker.evidence(NAME).sensor
    assert sensor.reasons == {"bad-checksum": 3}  # the first was tried twice, then opening failed
    assert (sensor.rungs["retry"].tried, sensor.rungs["reopen"].tried) == (1, 1)
    assert (sensor.breaker, sensor.retry_ms) == ("open", 14_000)
    rig.bench.clock.advance(1_000)
    assert rig.worker.evidence(NAME).sensor.breaker == "half-open"
    rig.bench.error = None
    rig.slots(20.0)
    sensor = rig.worker.evidence(NAME).sensor
    assert (sensor.breaker, sensor.retry_ms, sensor.rungs["reopen"].helped) == ("closed", None, 1)


def test_the_last_failure_is_kept_with_its_moment_when_the_sensor_is_found_again() -> None:
    rig = Rig()
    rig.slots(20.0)
    assert rig.worker.stats().sensors[0].last_failure is None
    rig.bench.error = BadFrame("checksum")
    rig.slots(1.0)
    rig.bench.error = None
    rig.slots(20.0, 20.0, 20.0)
    sensor = rig.worker.stats().sensors[0]
    assert (sensor.state, sensor.reason, sensor.detail) == ("ok", None, "")
    assert sensor.last_failure == FailureStats(Reason.BAD_CHECKSUM, "checksum", 11_000)


def test_a_failure_that_a_second_try_made_good_is_the_last_one_all_the_same() -> None:
    rig = Rig()
    rig.slots(20.0)
    answers = iter([BusError("a spark"), None])

    def read(now_ms: int) -> Sample:
        error = next(answers)
        if error:
            raise error
        return Sample((21.0,))

    rig.bench.made[0].script = read
    rig.slots(21.0)
    sensor = rig.worker.stats().sensors[0]
    assert (sensor.state, sensor.failures) == ("ok", 0)
    assert sensor.last_failure == FailureStats(Reason.NO_ANSWER, "a spark", 11_000)


def test_until_when_a_sensor_settles_is_known_from_its_opening_on() -> None:
    rig = Rig()
    rig.bench.cls = SlowToSettle
    assert rig.worker.stats().sensors[0].settled_ms is None
    rig.slots(20.0, 20.0)
    sensor = rig.worker.stats().sensors[0]
    assert (sensor.state, sensor.settled_ms) == ("settling", 12_000)


def test_calibration_and_twin_are_told() -> None:
    rule = ChannelRules(Calibration("lab-7", "2026-01-02"), twin="s2/temperature", tolerance=1)
    rig = Rig(SensorRules({"temperature": rule}))
    rig.slots(20.0)
    twin = rig.worker.evidence(NAME).twin
    assert twin is not None
    assert (twin.channel, twin.value, twin.difference) == ("s2/temperature", None, None)


def test_every_channel_of_a_bus_is_listed_and_an_unknown_one_refused() -> None:
    rig = Rig()
    assert [found.channel for found in rig.worker.channels()] == [NAME]
    with pytest.raises(NodeError, match="no channel s1/humidity on bus b"):
        rig.worker.evidence("s1/humidity")


def test_history_is_the_newest_sixty_four_in_order() -> None:
    record = Record(1)
    for n in range(HISTORY + 10):
        record.note(n, Sample((float(n),)), 1)
    history = record.history(0)
    assert len(history) == HISTORY
    assert history[0] == (10, 10.0)
    assert history[-1] == (HISTORY + 9, HISTORY + 9.0)


def test_history_is_in_order_also_where_a_sample_comes_while_it_is_asked_for() -> None:
    record = Record(1)

    class Busy(list[tuple[int, tuple[float | None, ...]] | None]):
        """Its thread notes one more whenever somebody has begun to look."""

        def copy(self) -> list[tuple[int, tuple[float | None, ...]] | None]:
            record.note(1_000, Sample((9.0,)), 1)
            return super().copy()

        def __getitem__(self, at: Any) -> Any:
            record.note(1_000, Sample((9.0,)), 1)
            return super().__getitem__(at)

    for n in range(HISTORY + 5):
        record.note(n, Sample((float(n),)), 1)
    record._history = Busy(record._history)
    times = [t_ms for t_ms, _ in record.history(0)]
    assert times == sorted(times)


def test_a_channel_that_is_good_beside_a_bad_one_has_its_last_good_value() -> None:
    record = Record(2)
    record.note(1, Sample((1.0, 2.0)), 1)
    record.note(2, Sample((None, 3.0), (Quality.FAULT, Quality.OK)), 1)
    assert record.good(0) == (1.0, 1)
    assert record.good(1) == (3.0, 2)
    record.note(3, Sample((4.0, 5.0)), 1)
    assert record.good(1) == (5.0, 3)


def test_maintenance_marks_what_is_ok_and_leaves_what_is_not() -> None:
    rig = Rig()
    rig.maintenance.on = True
    rig.slots(20.0, 99.0)
    rig.bench.error = BusError("unplugged")
    rig.slots(1.0)
    qualities = [sample.quality for _, sample in rig.bench.sink.of(1)]
    assert qualities == [(Quality.MAINTENANCE,), (Quality.OUT_OF_RANGE,), (Quality.MISSING,)]
    lost = rig.bench.sink.events[0][2]
    assert lost.quality is Quality.MAINTENANCE
    assert rig.worker.stats().sensors[0].failures == 1
    assert rig.worker.evidence(NAME).good_value == 20.0


def test_after_maintenance_everything_is_as_before() -> None:
    rig = Rig()
    rig.maintenance.on = True
    rig.slots(20.0)
    rig.maintenance.on = False
    rig.slots(21.0)
    assert rig.bench.sink.of(1)[-1][1].quality == ()
