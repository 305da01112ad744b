"""What a value outdoors may be, by what is observed, the season, the place and the altitude.

The bounds are those of the widest record or standard that is named beside each: what lies beyond
is the sun on a box, an engine's heat or a broken part, not weather.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from edgenode.commission.evidence import Place

TEMPERATURE: Final = "WeatherObserved/temperature"
PRESSURE: Final = "WeatherObserved/atmosphericPressure"
TEMPERATE: Final = 35.0  # degrees of latitude, from which on a season bounds what is plausible
POLAR: Final = 66.56  # beyond the polar circles no month is free of hard frost
NORTHERN_WINTER: Final = frozenset({12, 1, 2})
NORTHERN_SUMMER: Final = frozenset({6, 7, 8})
# °C. The hottest winter day found near that latitude: 37.2 (99 °F), Mangum, Oklahoma, 34.9° N,
# 11 February 2017 (Oklahoma Mesonet).
WINTER_HIGH: Final = 38.0
# °C. The coldest June found: -12.6, Saskylakh, Yakutia, which lies beyond the polar circle.
SUMMER_LOW: Final = -13.0
# ISO 2533 (standard atmosphere): p = 101325 Pa (1 - 2.25577e-5 h)^5.25588, h in m.
SEA_LEVEL, LAPSE, EXPONENT = 101_325.0, 2.255_77e-5, 5.255_88
# What weather makes of it. WMO archive of extremes: 870 hPa (Typhoon Tip, 1979) and 1083.8 hPa
# (Agata, 1968) at sea level.
WEATHER_LOW, WEATHER_HIGH = 0.86, 1.07
HIGHEST_M, LOWEST_M = 5_100.0, -430.0  # towns: La Rinconada, the Dead Sea


class Range(NamedTuple):
    """From `low` to `high` in `unit`, and why."""

    low: float
    high: float
    unit: str
    why: str


RANGES: Final[dict[str, Range]] = {
    # Parts and boards are made for -40 °C and up (BME280, SHT4x: operating range); 53.9 °C in
    # Mitribah, 2016, is the highest that the WMO has verified in 76 years.
    TEMPERATURE: Range(-40, 54, "Cel", "air outdoors, where people live"),
    # 0.33 % in Needles, 2014, and 0.36 % in Dezful, 2017, are the driest air on record.
    "WeatherObserved/relativeHumidity": Range(0.3, 100, "%RH", "air outdoors is never drier"),
    # 420 ppm (NOAA, Mauna Loa, 2023) less what the worst part here may be wrong by, 71 ppm; 5,000
    # ppm is the limit for a shift in closed rooms (NIOSH Pocket Guide, carbon dioxide).
    "AirQualityObserved/co2": Range(
        350, 5_000, "ppm", "the air of the whole earth has above 420, a street some more"
    ),
    # 100 V (Japan) less 10 %; 347 V (IEC 60038 table 1, 60 Hz, phase to neutral) and 10 % more.
    "ACMeasurement/phaseVoltage": Range(90, 382, "V", "mains, whichever country"),
    # EN 50160, interconnected grids, all of the time: 50 Hz less 6 %, and 60 Hz and 4 % more.
    "ACMeasurement/frequency": Range(47, 62.4, "Hz", "mains, whichever country"),
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
    if latitude is None or utc_ms is None or abs(latitude) < TEMPERATE:
        return usual
    month = time.gmtime(utc_ms / 1000).tm_mon
    if latitude < 0:
        month = (month + 5) % 12 + 1  # half a year on
    if month in NORTHERN_WINTER:
        return usual._replace(high=WINTER_HIGH, why=f"air in winter at latitude {latitude:.0f}")
    if month in NORTHERN_SUMMER and abs(latitude) < POLAR:
        return usual._replace(low=SUMMER_LOW, why=f"air in summer at latitude {latitude:.0f}")
    return usual
