"""What is computed of one read of the air: dew point, water, corrected dust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.derived import DERIVED
from edgenode.reading import Channel, Group, Quality
from edgenode.sensing.air import MOMENTARY, absolute_humidity, dew_point, pm25_epa2021
from edgenode.sensing.board import Board, Posted
from edgenode.sensing.derived import Momentary, formula, own
from tests.support.sensing import FakeSink

OK = (Quality.OK,)


MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("celsius", "percent", "point"),
    # The dew point table that builders use, of DIN 4108-3, in tenths of a degree.
    [(10, 80, 6.7), (20, 50, 9.3), (20, 60, 12.0), (20, 80, 16.4), (25, 50, 13.9), (30, 70, 23.9)],
)
def test_dew_points_are_those_of_the_tables(celsius: float, percent: float, point: float) -> None:
    assert dew_point(celsius, percent) == pytest.approx(point, abs=0.06)


@pytest.mark.parametrize(
    ("celsius", "grams"),
    # Water in saturated air, g/m³, as physics textbooks tabulate it.
    [(-10, 2.36), (0, 4.85), (10, 9.40), (20, 17.3), (30, 30.4), (40, 51.1)],
)
def test_saturated_air_holds_the_water_of_the_tables(celsius: float, grams: float) -> None:
    # Below 0 °C the tables are over ice, by 10 % less at -10; ours is over water throughout.
    allowed = 0.11 if celsius < 0 else 0.005
    assert absolute_humidity(celsius, 100) == pytest.approx(grams, rel=allowed)


@given(st.floats(-40, 60), st.floats(1, 100))
def test_the_dew_point_is_where_the_same_water_saturates(celsius: float, percent: float) -> None:
    point = dew_point(celsius, percent)
    assert point is not None
    assert point <= celsius + 1e-9
    here, there = absolute_humidity(celsius, percent), absolute_humidity(point, 100)
    assert here is not None
    assert there is not None
    # equal pressures; densities differ as the absolute temperatures do
    assert here * (celsius + 273.15) == pytest.approx(there * (point + 273.15), rel=1e-9)


def of_its_own(name: str) -> Momentary:
    return Momentary(MOMENTARY[name], [own(0), own(1)])


def test_air_without_water_has_no_dew_point_and_says_so() -> None:
    moist = of_its_own("dew_point")
    assert moist.derive((20.0, 0.0), OK * 2, 0) == (None, Quality.OUT_OF_RANGE, ())


def test_outside_the_range_of_the_magnus_formula_a_value_is_estimated() -> None:
    moist = of_its_own("absolute_humidity")
    assert moist.derive((61.0, 10.0), OK * 2, 0).quality is Quality.ESTIMATED
    assert moist.derive((60.0, 10.0), OK * 2, 0).quality is Quality.OK


@pytest.mark.parametrize(
    ("pm25", "percent", "due"),
    # Reckoned by hand from the five pieces as EPA publishes them: one in each, and the ends.
    [
        (10, 50, 6.68),  # 5.24 - 4.31 + 5.75
        (30, 50, 17.16),  # 15.72 - 4.31 + 5.75
        (40, 50, 27.64),  # halfway: 0.655 * 40 - 4.31 + 5.75
        (50, 50, 40.74),  # 39.3 - 4.31 + 5.75
        (100, 40, 80.902),  # 78.6 - 3.448 + 5.75
        (235, 40, 200.4735),  # halfway between 187.012 and 2.966 + 162.15 + 48.8189
        (260, 40, 242.1244),  # 2.966 + 179.4 + 59.7584, whatever the humidity
        (400, 90, 420.406),  # 2.966 + 276 + 141.44
    ],
)
def test_particulate_matter_is_corrected_as_the_epa_publishes_it(
    pm25: float, percent: float, due: float
) -> None:
    assert pm25_epa2021(pm25, percent) == pytest.approx(due, abs=5e-4)


@given(st.floats(0, 1000), st.floats(0, 100), st.floats(0.001, 0.5))
def test_more_dust_is_never_corrected_to_less(pm25: float, percent: float, more: float) -> None:
    assert pm25_epa2021(pm25 + more, percent) > pm25_epa2021(pm25, percent)


def test_a_correction_below_nothing_is_nothing_and_clamped() -> None:
    corrected = of_its_own("pm25_epa2021")
    assert corrected.derive((0.0, 90.0), OK * 2, 0) == (0.0, Quality.CLAMPED, ())
    assert corrected.derive((0.0, 60.0), OK * 2, 0).quality is Quality.OK


DUST = Group(1, (Channel("dust/pm25", "ug/m3"), Channel("dust/pm25_epa2021", "ug/m3", -1)))


def lent_humidity(board: Board) -> Momentary:
    lent = {"humidity": "air/humidity"}
    made = formula(DERIVED["pm25_epa2021"], 1, DUST, FakeSink(), 1000, board, lent)
    assert isinstance(made, Momentary)
    return made


def test_a_source_may_be_the_newest_good_value_of_another_sensor() -> None:
    board = Board()
    corrected = lent_humidity(board)
    assert board.wanted == {"air/humidity"}
    assert corrected.derive((10.0,), OK, 0) == (None, Quality.MISSING, ())
    board.post("air/humidity", Posted(50.0, 0, MINUTE_MS))
    value, quality, _ = corrected.derive((10.0,), OK, 2 * MINUTE_MS)
    assert (round(value or 0, 3), quality) == (6.68, Quality.OK)
    assert corrected.derive((10.0,), OK, 2 * MINUTE_MS + 1).quality is Quality.MISSING


def test_a_lent_source_makes_no_bad_value_of_its_own_good() -> None:
    board = Board()
    corrected = lent_humidity(board)
    board.post("air/humidity", Posted(50.0, 0, MINUTE_MS))
    assert corrected.derive((10.0,), (Quality.STALE,), 0).quality is Quality.STALE
    assert corrected.derive((None,), (Quality.FAULT,), 0) == (None, Quality.FAULT, ())
