"""What follows from the state of the air: moisture, and particulate matter set right by it. Pure.

Moisture: the Magnus formula over water, valid from -45 to 60 °C: Sonntag (1990), as in WMO-No. 8,
Guide to Instruments and Methods of Observation, annex 4.B:
e = 6.112 hPa * exp(17.62 t / (243.12 + t)).

Particulate matter: the US EPA's national correction of Plantower sensors, fitted against reference
monitors in 16 states: Barkjohn, Gantt, Clements (2021), Atmos. Meas. Tech. 14, 4617, extended to
smoke by Barkjohn, Holder, Frederick, Clements (2022), Sensors 22, 9669. Used here is the form that
the AirNow Fire and Smoke Map applies to PM2.5 "atmospheric" since October 2021, with its two
transitions; the pieces stand alike in AirGradient's map and in the Central California Asthma
Collaborative's CAMP (PM25_EPA_Oct2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from edgenode.reading import Quality

Found = tuple[float | None, Quality]

MAGNUS_HPA: Final = 6.112
MAGNUS_A: Final = 17.62
MAGNUS_C: Final = 243.12  # °C
MAGNUS_FROM, MAGNUS_TO = -45.0, 60.0
# Specific gas constant of water vapour, J/(kg K): R = 8.314463 J/(mol K) (CODATA 2018) over
# 18.01528 g/mol.
R_VAPOUR: Final = 8.314463 / 0.01801528
KELVIN: Final = 273.15

CLEAN, HAZE = 0.524, 0.786  # slopes below 30 and from 50 to 210 µg/m³
PER_RH: Final = 0.0862  # µg/m³ less for each %RH
OFFSET: Final = 5.75
SMOKE: Final = (2.966, 0.69, 8.84e-4)  # of x^0, x^1, x^2, from 260 µg/m³ on
HAZE_FROM, HAZE_WHOLE = 30.0, 50.0
SMOKE_FROM, SMOKE_WHOLE = 210.0, 260.0


def dew_point(temperature: float, humidity: float) -> float | None:
    """Return the dew point in °C of air at °C and %RH; None for air without any water."""
    if humidity <= 0 or temperature <= -MAGNUS_C:
        return None
    gamma = math.log(humidity / 100) + MAGNUS_A * temperature / (MAGNUS_C + temperature)
    return MAGNUS_C * gamma / (MAGNUS_A - gamma)


def absolute_humidity(temperature: float, humidity: float) -> float | None:
    """Return the water in air at °C and %RH, in g/m³: the ideal gas law for its vapour."""
    if temperature <= -MAGNUS_C:
        return None
    saturated_hpa = MAGNUS_HPA * math.exp(MAGNUS_A * temperature / (MAGNUS_C + temperature))
    vapour_pa = saturated_hpa * humidity  # 100 Pa a hPa, by the hundredth
    return 1000 * vapour_pa / (R_VAPOUR * (temperature + KELVIN))


def pm25_epa2021(pm25: float, humidity: float) -> float:
    """Return PM2.5 as a reference monitor would have it, in µg/m³, from a Plantower's and %RH.

    Less than nothing where there was little and the air is moist.
    """
    hazy = _share(pm25, HAZE_FROM, HAZE_WHOLE)
    smoky = _share(pm25, SMOKE_FROM, SMOKE_WHOLE)
    slope = HAZE * hazy + CLEAN * (1 - hazy)
    usual = slope * pm25 - PER_RH * humidity + OFFSET
    smoke = SMOKE[0] + SMOKE[1] * pm25 + SMOKE[2] * pm25**2
    return smoke * smoky + usual * (1 - smoky)


def _share(value: float, start: float, end: float) -> float:
    """Return 0 up to the start, 1 from the end on, and the way gone in between."""
    return min(1.0, max(0.0, (value - start) / (end - start)))


def _moist(of: Callable[[float, float], float | None]) -> Callable[[float, float], Found]:
    def found(temperature: float, humidity: float) -> Found:
        value = of(temperature, humidity)
        if value is None:
            return None, Quality.OUT_OF_RANGE
        known = MAGNUS_FROM <= temperature <= MAGNUS_TO
        return value, Quality.OK if known else Quality.ESTIMATED

    return found


def _corrected(pm25: float, humidity: float) -> Found:
    value = pm25_epa2021(pm25, humidity)
    return (value, Quality.OK) if value >= 0 else (0.0, Quality.CLAMPED)


MOMENTARY: Final[dict[str, Callable[[float, float], Found]]] = {
    "dew_point": _moist(dew_point),
    "absolute_humidity": _moist(absolute_humidity),
    "pm25_epa2021": _corrected,
}
