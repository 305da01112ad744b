"""What a value outdoors may be, by what is observed, the season, the place and the altitude."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from edgenode.commission.evidence import Place

TEMPERATURE: Final = "WeatherObserved/temperature"
PRESSURE: Final = "WeatherObserved/atmosphericPressure"
TROPIC: Final = 23.44  # degrees of latitude; between the tropics there is no winter
POLAR: Final = 66.56  # beyond it summer may freeze
NORTHERN_WINTER: Final = frozenset({11, 12, 1, 2, 3})
NORTHERN_SUMMER: Final = frozenset({5, 6, 7, 8, 9})
WINTER_HIGH: Final = 38.0  # °C; hotter than any winter day outside the tropics, sun on a box is not
SUMMER_LOW: Final = -10.0  # °C; colder than summer nights short of the polar circles
# ISO 2533 (standard atmosphere): p = 101325 Pa (1 - 2.25577e-5 h)^5.25588, h in m.
SEA_LEVEL, LAPSE, EXPONENT = 101_325.0, 2.255_77e-5, 5.255_88
# What weather makes of it: 920 to 1075 hPa at sea level hold but for hurricanes and Siberia.
WEATHER_LOW, WEATHER_HIGH = 0.91, 1.06
HIGHEST_M, LOWEST_M = 5_100.0, -430.0  # towns: La Rinconada, the Dead Sea


class Range(NamedTuple):
    """From `low` to `high` in `unit`, and why."""

    low: float
    high: float
    unit: str
    why: str


RANGES: Final[dict[str, Range]] = {
    TEMPERATURE: Range(-30, 50, "Cel", "air outdoors, where people live"),
    "WeatherObserved/relativeHumidity": Range(3, 100, "%RH", "air outdoors is never drier"),
    "AirQualityObserved/co2": Range(
        350, 5_000, "ppm", "the air of the whole earth has above 420 (NOAA), a street some more"
    ),
    # IEC 60038: 100 V less 10 % to 240 V and 10 % more; 50 and 60 Hz.
    "ACMeasurement/phaseVoltage": Range(90, 264, "V", "mains, whichever country"),
    "ACMeasurement/frequency": Range(45, 65, "Hz", "mains, whichever country"),
}


def expected(
    observed: str, place: Place, utc_ms: int | None, altitude_m: float | None
) -> Range | None:
    """Return what a property may be here and now; None where nothing is known of it.

    `utc_ms` is None where nothing vouches for the clock: then there is no season.
    """
    if observed == PRESSURE:
        return _pressure(altitude_m)
    if observed == TEMPERATURE:
        return _temperature(place.latitude, utc_ms)
    return RANGES.get(observed)


def standard_pressure(altitude_m: float) -> float:
    """Return the Pa of the standard atmosphere at an altitude in m (ISO 2533)."""
    return float(SEA_LEVEL * (1 - LAPSE * altitude_m) ** EXPONENT)


def _pressure(altitude_m: float | None) -> Range:
    if altitude_m is None:
        low, high = standard_pressure(HIGHEST_M), standard_pressure(LOWEST_M)
        return Range(WEATHER_LOW * low, WEATHER_HIGH * high, "Pa", "air, wherever people live")
    usual = standard_pressure(altitude_m)
    why = f"air at an altitude of {altitude_m:.0f} m"
    return Range(WEATHER_LOW * usual, WEATHER_HIGH * usual, "Pa", why)


def _temperature(latitude: float | None, utc_ms: int | None) -> Range:
    usual = RANGES[TEMPERATURE]
    if latitude is None or utc_ms is None or abs(latitude) <= TROPIC:
        return usual
    month = time.gmtime(utc_ms / 1000).tm_mon
    if latitude < 0:
        month = (month + 5) % 12 + 1  # half a year on
    if month in NORTHERN_WINTER:
        return usual._replace(high=WINTER_HIGH, why=f"air in winter at latitude {latitude:.0f}")
    if month in NORTHERN_SUMMER and abs(latitude) < POLAR:
        return usual._replace(low=SUMMER_LOW, why=f"air in summer at latitude {latitude:.0f}")
    return usual
