"""Between driver and sink: corrected, judged in one order, derived; without rules untouched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.reading import Channel, Group, Kind, Quality, Sample
from edgenode.sensing import Board, Calibration, ChannelRules, SensorRules, channels_of
from edgenode.sensing.calibration import correction
from edgenode.sensing.pipeline import Pipeline
from edgenode.sensing.quality import WORST_FIRST, worst
from tests.support.sensing import FakeSink

EVERY_MS = 1000
OK, SETTLING = Quality.OK, Quality.SETTLING
AIR = (
    Channel("temperature", "Cel", -2, low=-40, high=85),
    Channel("humidity", "%RH", -1, low=0, high=100),
)


def group(rules: SensorRules, given_: tuple[Channel, ...] = AIR) -> Group:
    named = (replace(c, name=f"air/{c.name}") for c in channels_of(given_, rules))
    return Group(1, tuple(named))


def pipeline(
    rules: SensorRules, given_: tuple[Channel, ...] = AIR, board: Board | None = None
) -> Pipeline:
    return Pipeline(group(rules, given_), rules, EVERY_MS, FakeSink(), board or Board())


def of(**channels: ChannelRules) -> SensorRules:
    return SensorRules(channels)


def quality_of(line: Pipeline, value: float, t_ms: int, *, settling: bool = False) -> Quality:
    """Return how the temperature is judged."""
    sample = line.passed(Sample((value, 50.0)), t_ms, settling=settling)
    return sample.quality[0] if sample.quality else OK


def test_without_rules_the_sample_passes_as_it_is() -> None:
    sample = Sample((21.5, 40.0))
    assert pipeline(SensorRules()).passed(sample, 0, settling=False) is sample


def test_gain_and_offset_correct_a_value() -> None:
    line = pipeline(of(temperature=ChannelRules(Calibration("c1", "2026-01-02", 1.1, -0.5))))
    assert line.passed(Sample((20.0, 40.0)), 0, settling=False) == Sample((21.5, 40.0))


def test_a_polynomial_stands_in_place_of_gain_and_offset() -> None:
    calibration = Calibration("c", "2026-01-02", gain=7, offset=7, polynomial=(1.0, 2.0, 0.5))
    assert correction(calibration)(4.0) == 1 + 2 * 4 + 0.5 * 16


@given(st.floats(-1e3, 1e3), st.floats(-5, 5), st.floats(-5, 5))
def test_a_polynomial_of_first_order_is_gain_and_offset(x: float, a: float, b: float) -> None:
    straight = correction(Calibration("c", "d", gain=b, offset=a))
    assert correction(Calibration("c", "d", polynomial=(a, b)))(x) == pytest.approx(straight(x))


def test_the_value_before_calibration_travels_on_request_with_its_own_quality() -> None:
    rules = of(humidity=ChannelRules(Calibration("c", "2026-01-02", offset=10.0, raw=True)))
    assert [c.name for c in channels_of(AIR, rules)] == ["temperature", "humidity", "humidity_raw"]
    sample = pipeline(rules).passed(Sample((20.0, 95.0)), 0, settling=False)
    assert sample.values == (20.0, 105.0, 95.0)
    assert sample.quality == (OK, Quality.OUT_OF_RANGE, OK)


def test_a_calibrated_channel_names_its_calibration_and_the_raw_one_none() -> None:
    rules = of(humidity=ChannelRules(Calibration("lab-7", "2026-01-02", raw=True)))
    _, humidity, raw = channels_of(AIR, rules)
    assert humidity.calibration == ("2026-01-02", "lab-7")
    assert raw.calibration is None
    assert (raw.unit, raw.scale, raw.low) == (humidity.unit, humidity.scale, humidity.low)


def test_what_is_no_number_stays_none_through_calibration_with_its_quality() -> None:
    rules = of(temperature=ChannelRules(Calibration("c", "d", offset=1, raw=True)))
    sample = Sample((None, 40.0), (Quality.FAULT, OK))
    assert pipeline(rules).passed(sample, 0, settling=False) == Sample(
        (None, 40.0, None), (Quality.FAULT, OK, Quality.FAULT)
    )


def test_a_bad_value_is_corrected_too_and_stays_bad() -> None:
    rules = of(temperature=ChannelRules(Calibration("c", "d", offset=1)))
    sample = pipeline(rules).passed(Sample((20.0, 1.0), (Quality.STALE, OK)), 0, settling=False)
    assert (sample.values[0], sample.quality[0]) == (21.0, Quality.STALE)


def test_a_correction_that_leaves_the_numbers_is_a_fault() -> None:
    rules = of(temperature=ChannelRules(Calibration("c", "d", gain=1e308)))
    sample = pipeline(rules).passed(Sample((20.0, 1.0)), 0, settling=False)
    assert (sample.values[0], sample.quality[0]) == (None, Quality.FAULT)


@pytest.mark.parametrize(("value", "quality"), [(-5.1, 2), (-5.0, 0), (30.0, 0), (30.1, 2)])
def test_the_limits_of_the_place_are_tighter_than_those_of_the_part(
    value: float, quality: int
) -> None:
    line = pipeline(of(temperature=ChannelRules(low=-5, high=30)))
    assert quality_of(line, value, 0) == quality


def test_wider_limits_do_not_widen_what_the_part_can_mean() -> None:
    line = pipeline(of(temperature=ChannelRules(low=-100, high=200)))
    assert quality_of(line, 86, 0) is Quality.OUT_OF_RANGE


def test_a_value_unchanged_for_longer_than_the_rule_is_stuck_until_it_moves() -> None:
    line = pipeline(of(temperature=ChannelRules(stuck_s=3)))
    told = [quality_of(line, 20.0, t_ms) for t_ms in range(0, 6000, 1000)]
    assert told == [OK] * 4 + [Quality.STUCK] * 2
    assert quality_of(line, 20.01, 6000) is OK


def test_a_spike_is_told_and_the_value_after_it_is_not() -> None:
    line = pipeline(of(temperature=ChannelRules(rate_per_s=0.5)))
    told = [quality_of(line, value, n * 1000) for n, value in enumerate((20, 20.5, 25, 20.6))]
    assert told == [OK, OK, Quality.RATE_OF_CHANGE, OK]


def test_a_true_step_is_believed_once_enough_time_has_passed() -> None:
    line = pipeline(of(temperature=ChannelRules(rate_per_s=1)))
    quality_of(line, 20, 0)
    told = [quality_of(line, 23, t_ms) for t_ms in (1000, 2000, 3000, 4000)]
    assert told == [Quality.RATE_OF_CHANGE] * 2 + [OK] * 2


def test_noise_between_reads_closer_than_a_period_is_no_rate() -> None:
    line = pipeline(of(temperature=ChannelRules(rate_per_s=0.5)))
    assert [quality_of(line, 20, 0), quality_of(line, 20.4, 30)] == [OK, OK]


def test_of_several_findings_the_worst_is_told() -> None:
    line = pipeline(of(temperature=ChannelRules(low=0, high=30, stuck_s=1, rate_per_s=0.1)))
    assert quality_of(line, 31, 0, settling=True) is Quality.OUT_OF_RANGE
    assert quality_of(line, 20, 0, settling=True) is SETTLING
    assert quality_of(line, 20, 9000, settling=True) is SETTLING
    assert quality_of(line, 20, 9000) is Quality.STUCK


def test_the_drivers_own_word_stands() -> None:
    line = pipeline(of(temperature=ChannelRules(low=0, high=30)))
    sample = line.passed(Sample((40.0, 1.0), (Quality.CLAMPED, OK)), 0, settling=False)
    assert sample.quality[0] is Quality.CLAMPED


def test_every_quality_has_its_place_in_the_order() -> None:
    assert sorted(WORST_FIRST) == sorted(Quality)
    assert worst([OK, SETTLING, Quality.STUCK]) is SETTLING
    assert worst([Quality.MISSING, Quality.FAULT]) is Quality.FAULT


def test_derived_channels_come_last_and_are_as_good_as_their_worst_source() -> None:
    rules = SensorRules(derived=("dew_point", "absolute_humidity"))
    names = [c.name for c in channels_of(AIR, rules)]
    assert names == ["temperature", "humidity", "dew_point", "absolute_humidity"]
    line = pipeline(rules)
    good = line.passed(Sample((20.0, 50.0)), 0, settling=False)
    assert good.quality == ()
    assert good.values[2] == pytest.approx(9.26, abs=0.01)
    bad = line.passed(Sample((None, 50.0), (Quality.MISSING, OK)), 0, settling=False)
    assert bad.values[2:] == (None, None)
    assert bad.quality[2:] == (Quality.MISSING, Quality.MISSING)
    worse = line.passed(Sample((20.0, 101.0)), 0, settling=True)
    assert worse.quality == (SETTLING, *[Quality.OUT_OF_RANGE] * 3)


def test_what_is_derived_rests_on_corrected_values_and_can_be_judged_itself() -> None:
    rules = SensorRules(
        {
            "humidity": ChannelRules(Calibration("c", "d", offset=10)),
            "dew_point": ChannelRules(high=5),
        },
        ("dew_point",),
    )
    sample = pipeline(rules).passed(Sample((20.0, 40.0)), 0, settling=False)
    assert sample.values[2] == pytest.approx(9.26, abs=0.01)
    assert sample.quality == (OK, OK, Quality.OUT_OF_RANGE)


def test_a_quantity_that_cannot_be_derived_is_refused_at_composing() -> None:
    with pytest.raises(KeyError, match="happiness"):
        channels_of(AIR, SensorRules(derived=("happiness",)))
    only = (Channel("count", "count", kind=Kind.COUNTER),)
    rules = SensorRules(derived=("dew_point",))
    with pytest.raises(KeyError, match="temperature"):
        pipeline(rules, only)


DUST = (Channel("pm25", "ug/m3", low=0, high=1000), Channel("pm25_cf1", "ug/m3"))


def test_dust_is_corrected_by_the_humidity_of_another_sensor_while_that_is_fresh_and_good() -> None:
    board = Board()
    rules = SensorRules(derived=("pm25_epa2021",), sources={"humidity": "air/humidity"})
    channels = tuple(replace(c, name=f"pm/{c.name}") for c in channels_of(DUST, rules))
    assert channels[2].calibration == ("2021-06-22", "doi:10.5194/amt-14-4617-2021")
    dust = Pipeline(Group(2, channels), rules, EVERY_MS, FakeSink(), board)
    air = pipeline(SensorRules(), board=board)
    before = dust.passed(Sample((10.0, 10.0)), 0, settling=False)
    assert before == Sample((10.0, 10.0, None), (OK, OK, Quality.MISSING))
    air.passed(Sample((20.0, 50.0)), 100, settling=False)
    after = dust.passed(Sample((10.0, 10.0)), 200, settling=False)
    assert after.values[:2] == (10.0, 10.0)
    assert after.values[2] == pytest.approx(6.68)
    assert after.quality == ()
    air.passed(Sample((20.0, 101.0)), 1100, settling=False)  # out of range: not lent
    assert dust.passed(Sample((10.0, 10.0)), 2100, settling=False).quality == ()
    assert dust.passed(Sample((10.0, 10.0)), 2101, settling=False).quality[2] is Quality.MISSING


def twins(board: Board) -> tuple[Pipeline, Pipeline]:
    """Return two sensors on buses of their own; the first is compared with the second."""
    rule = ChannelRules(twin="b/temperature", tolerance=0.5)
    first = pipeline(of(temperature=rule), board=board)
    named = Group(2, tuple(replace(c, name=f"b/{c.name}") for c in AIR))
    return first, Pipeline(named, SensorRules(), EVERY_MS, FakeSink(), board)


def compared(first: Pipeline, second: Pipeline, ours: float, theirs: float, t_ms: int) -> Quality:
    second.passed(Sample((theirs, 50.0)), t_ms, settling=False)
    return quality_of(first, ours, t_ms)


def test_twins_that_differ_three_times_in_a_row_disagree_until_they_agree() -> None:
    first, second = twins(Board())
    pairs = [(20, 21), (20, 21), (20, 20.5), (20, 21), (20, 21), (20, 21), (20, 21), (20, 20)]
    told = [compared(first, second, *pair, n * 1000) for n, pair in enumerate(pairs)]
    assert told == [OK] * 5 + [Quality.DISAGREES] * 2 + [OK]
    assert first.twins[0].difference == 0
    assert first.twins[0].value == 20


def test_one_old_value_of_a_twin_is_one_disagreement_however_often_it_is_met() -> None:
    first, second = twins(Board())
    second.passed(Sample((30.0, 50.0)), 0, settling=False)
    told = [quality_of(first, 20, t_ms) for t_ms in range(0, 2001, 200)]
    assert set(told) == {OK}


def test_a_twin_older_than_two_of_its_periods_says_nothing() -> None:
    first, second = twins(Board())
    for n in range(3):
        compared(first, second, 20, 30, n * 1000)
    assert quality_of(first, 20, 4000) is Quality.DISAGREES
    assert quality_of(first, 20, 4001) is OK
    assert first.twins[0].difference is None


def test_only_values_that_are_ok_are_compared() -> None:
    first, second = twins(Board())
    for n in range(5):
        second.passed(Sample((30.0, 50.0)), n * 1000, settling=True)
        assert quality_of(first, 20, n * 1000) is OK


def test_two_that_watch_each_other_both_disagree() -> None:
    board = Board()
    first = pipeline(of(temperature=ChannelRules(twin="b/temperature", tolerance=1)), board=board)
    rules = of(temperature=ChannelRules(twin="air/temperature", tolerance=1))
    named = Group(2, tuple(replace(c, name=f"b/{c.name}") for c in channels_of(AIR, rules)))
    second = Pipeline(named, rules, EVERY_MS, FakeSink(), board)
    for n in range(6):
        a = quality_of(first, 20, n * 1000)
        b = quality_of(second, 30, n * 1000 + 500)
    assert (a, b) == (Quality.DISAGREES, Quality.DISAGREES)
