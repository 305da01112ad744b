"""What air may be here and now, and how far parts of which kind may differ."""

from __future__ import annotations

import calendar

import pytest

from edgenode.commission.accuracy import STATED
from edgenode.commission.evidence import NOWHERE, Place
from edgenode.commission.expected import PRESSURE, RANGES, TEMPERATURE, expected, standard_pressure
from edgenode.driver import loadable

BERLIN, MELBOURNE, DUBAI, TROMSO = (Place(at, 13.4) for at in (52.5, -37.8, 25.3, 69.6))


def month(number: int) -> int:
    return calendar.timegm((2026, number, 15, 12, 0, 0)) * 1000


@pytest.mark.parametrize(
    ("altitude_m", "hectopascals"),
    [(0, 1013.25), (1_000, 898.75), (2_000, 794.95), (5_000, 540.20)],
)  # ISO 2533, table 1
def test_the_standard_atmosphere_is_that_of_the_standard(
    altitude_m: float, hectopascals: float
) -> None:
    assert standard_pressure(altitude_m) / 100 == pytest.approx(hectopascals, abs=0.1)


@pytest.mark.parametrize(
    ("altitude_m", "good", "bad"), [(None, 54_000, 45_000), (1_600, 83_500, 101_000)]
)
def test_pressure_is_that_of_the_altitude_give_and_take_the_weather(
    altitude_m: float | None, good: float, bad: float
) -> None:
    usual = expected(PRESSURE, NOWHERE, None, altitude_m)
    assert usual
    assert usual.low < good < usual.high
    assert not usual.low < bad < usual.high


@pytest.mark.parametrize(
    ("place", "number", "low", "high"),
    [
        (BERLIN, 1, -40, 38),
        (BERLIN, 7, -13, 54),
        (BERLIN, 3, -40, 54),
        (MELBOURNE, 7, -40, 38),
        (MELBOURNE, 1, -13, 54),
        (DUBAI, 1, -40, 54),
        (TROMSO, 7, -40, 54),
        (NOWHERE, 1, -40, 54),
    ],
)
def test_the_season_is_that_of_the_hemisphere(
    place: Place, number: int, low: float, high: float
) -> None:
    usual = expected(TEMPERATURE, place, month(number), None)
    assert usual
    assert (usual.low, usual.high) == (low, high)


def test_without_a_clock_there_is_no_season() -> None:
    assert expected(TEMPERATURE, BERLIN, None, None) == RANGES[TEMPERATURE]


def test_each_stated_accuracy_is_of_a_part_and_a_quantity_that_there_is() -> None:
    known: dict[str, set[str]] = {}
    for driver in loadable().values():
        names = {channel.name for channel in driver.channels}
        known.setdefault(driver.model, set()).update(names)
    for model, quantities in STATED.items():
        assert set(quantities) <= known[model], model


def test_each_range_is_of_something_that_a_driver_observes() -> None:
    observed = {
        (channel.observed, channel.unit)
        for driver in loadable().values()
        for channel in driver.channels
    }
    for name, usual in RANGES.items():
        assert (name, usual.unit) in observed
    assert (PRESSURE, "Pa") in observed
