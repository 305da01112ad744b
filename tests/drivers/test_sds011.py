"""The SDS011: half a minute of five, what that does to the age of a value, and its hours."""

from __future__ import annotations

import pytest

from drivers import sds011
from drivers.sds011 import SDS011, SDS011Options
from edgenode.errors import BadFrame, BusTimeout
from edgenode.reading import Quality, SerialLine
from edgenode.virtual.sds011 import Sds011Spec, VirtualSDS011
from tests.support import sds011 as support
from tests.support.beds import Bed, Cable, play
from tests.support.sds011 import AnsweringPort, answer, opened, report

MINUTE_MS = 60_000


def played(minutes: int, spec: Sds011Spec | None = None) -> tuple[Bed, Cable, SDS011]:
    bed = Bed()
    bed.now_ns = 10**12  # whole seconds
    part = VirtualSDS011(spec or Sds011Spec("s"), bed.truth, bed.now_ns)
    cable = Cable(bed, part, SerialLine(9600))
    return bed, cable, SDS011(cable, SDS011Options(period_min=minutes), clock=bed.clock)


def test_an_hour_of_the_usual_period_costs_six_minutes_of_its_life() -> None:
    bed, cable, sensor = played(5)
    resting = 0
    for _ in range(60):
        sample = play(bed, cable, sensor, MINUTE_MS).sample
        resting += cable.instrument.resting(bed.now_ns)
        assert None not in sample.values
        assert sample.quality == ()
    assert sample.values[2] == 12 * 30
    assert resting > 40


def test_before_the_first_report_it_settles_and_has_no_number() -> None:
    bed, cable, sensor = played(5)
    sample = play(bed, cable, sensor, 20_000).sample
    assert sample.values == (None, None, 0)
    assert sample.quality == (Quality.SETTLING, Quality.SETTLING, Quality.OK)


def test_working_all_the_time_is_a_report_a_second_and_a_life_of_eleven_months() -> None:
    bed, cable, sensor = played(0)
    assert play(bed, cable, sensor, MINUTE_MS).sample.values[2] == 60
    assert cable.instrument.minutes == 0


def test_nothing_and_nothing_is_clean_air() -> None:
    sensor, port = opened(sds011)
    port.say(report(0, 0))
    sample = sensor.read(30_000)
    assert (sample.values[:2], sample.quality) == ((0, 0), ())


def test_what_another_program_set_is_set_back_and_kept() -> None:
    spec = Sds011Spec("s", minutes=30)
    bed, cable, sensor = played(5, spec)
    assert cable.instrument.minutes == 5
    cable.instrument.active = False
    sensor.close()
    bed.sleep(60)
    SDS011(cable, SDS011Options(), clock=bed.clock)
    assert cable.instrument.active


def test_closing_lets_fan_and_laser_rest_and_opening_wakes_them() -> None:
    bed, cable, sensor = played(0)
    sensor.close()
    assert cable.instrument.resting(bed.now_ns)
    again = SDS011(cable, SDS011Options(period_min=0), clock=bed.clock)
    assert play(bed, cable, again, 2_000).sample.values[0] is not None


@pytest.mark.parametrize(
    ("minutes", "fresh_ms", "lost_ms"), [(5, 310_000, 620_000), (0, 2_500, 10_000)]
)
def test_a_value_is_stale_once_the_next_is_overdue_and_gone_after_the_one_after_that(
    minutes: int, fresh_ms: int, lost_ms: int
) -> None:
    sensor, port = opened(sds011, minutes)
    port.say(report(5, 6))
    sensor.feed(0)
    assert sensor.read(fresh_ms).quality == ()
    assert sensor.read(fresh_ms + 1).quality[0] is Quality.STALE
    assert sensor.read(lost_ms).values[:2] == (5, 6)
    with pytest.raises(BusTimeout, match="SDS011: silent for"):
        sensor.read(lost_ms + 1)


def test_a_part_that_answers_no_command_but_reports_is_taken_as_it_is() -> None:
    every = dict.fromkeys(support.WELL, report(1, 2))
    sensor, port = opened(sds011, answers=every)
    assert port.asked[-1] == support.SET_PERIOD
    port.say(report(3, 4))
    assert sensor.read(1_000).values[:2] == (3, 4)


def test_silence_and_noise_say_what_to_check() -> None:
    for answers, error, words in (
        ({}, BusTimeout, "no answer; check its 5 V"),
        ({support.WAKE: b"\x55" * 9}, BadFrame, "27 bytes and no whole frame; check the baud"),
    ):
        port = AnsweringPort(answers)
        with pytest.raises(error, match=words):
            SDS011(port, SDS011Options(), clock=port.clock)
        assert port.asked == [support.WAKE] * 3
        assert port.s < 105


def test_an_answer_that_comes_late_is_no_measurement() -> None:
    sensor, port = opened(sds011)
    port.say(answer(8, 1, 5))
    assert sensor.read(100).values[:2] == (None, None)
