"""What a pulse is worth: the total of energy, water, rain or wind that follows from a count.

Datasheet: the label of the meter. What is usual: S0 of an electricity meter, DIN 43864 and IEC
62053-31, 1000 imp/kWh (also Kamstrup 162M/382M, technical description 5512-1040, 3.7.5); reed
contact of a water meter, 10 L; Davis Rain Collector II, manual, "Adjusting": 0.2 mm with the metric
adapter, 0.01 in without; SparkFun SEN-15901, data sheet: 0.2794 mm, and 2.4 km/h of wind close
the contact once a second (also Libelium, WS-3000), so that a pulse is 2/3 m of wind run.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.reading import Kind, Weighed

Unit = Literal["", "Wh", "kWh", "MWh", "MJ", "GJ", "L", "m3", "mm", "m"]
PerPulse = Annotated[float, Meta(ge=1e-9, le=1e6, description="a number, 1e-9 to 1e6")]
PerUnit = Annotated[float, Meta(ge=1e-6, le=1e9, description="a number, 1e-6 to 1e9")]
StartsAt = Annotated[float, Meta(ge=0, le=1e12, description="a number, 0 to 1e12")]
DIGITS: Final = 4  # of a weight that no decimal number is, such as 1/750 kWh
STEPS_MOST: Final = 1 << 49  # of a start: half of what travels, see docs/wire-format.md, "Values"
NOUNS: Final[Mapping[Unit, str]] = {  # what a total is called, or is part of its name
    **dict.fromkeys(("Wh", "kWh", "MWh", "MJ", "GJ"), "energy"),
    **dict.fromkeys(("L", "m3"), "volume"),
    "mm": "precipitation",
    "m": "wind_run",
}
USUAL: Final[Mapping[Unit, str]] = {**NOUNS, "MJ": "heat_energy", "GJ": "heat_energy"}
OBSERVED: Final[Mapping[str, str]] = {
    "energy": "ACMeasurement/totalActiveEnergyImport",
    "import_energy": "ACMeasurement/totalActiveEnergyImport",
    "export_energy": "ACMeasurement/totalActiveEnergyExport",
    "volume": "WaterConsumptionObserved/waterConsumption",
    "water_volume": "WaterConsumptionObserved/waterConsumption",
    "precipitation": "WeatherObserved/precipitation",
}
CONSUMED: Final = "SmartMeteringObservation/totalConsumption"  # energy and volume of other kinds


def weight(per_pulse: float | None, pulses_per_unit: float | None) -> Fraction | None:
    """Return what a pulse is worth in the unit, exactly as it is written; None: nobody says.

    Raises ValueError where both are said.
    """
    if per_pulse is not None and pulses_per_unit is not None:
        raise ValueError("per_pulse and pulses_per_unit say the same: leave one out")
    if pulses_per_unit is not None:
        return 1 / Fraction(str(pulses_per_unit))
    return None if per_pulse is None else Fraction(str(per_pulse))


def total_of(worth: Fraction, unit: Unit, quantity: str, starts_at: float) -> Weighed:
    """Return the channel that is a count times `worth`, and `starts_at` where nothing is counted.

    Raises ValueError for a name that does not say what it is, or a start that cannot travel.
    """
    noun, name = NOUNS[unit], quantity or USUAL[unit]
    if noun not in name:
        words = f"a total in {unit} is called {USUAL[unit]}, or by a longer name with {noun} in it"
        raise ValueError(f"quantity: {words}, found {quantity}")
    scale = _scale(worth)
    each, start = (number / Fraction(10) ** scale for number in (worth, Fraction(str(starts_at))))
    if start > STEPS_MOST:
        raise ValueError(f"starts_at: {starts_at:g} {unit} are too many pulses to be counted")
    by = each.denominator  # what of the start is less than 1 / by never completes a step
    return Weighed(
        name,
        unit,
        scale,
        Kind.COUNTER,
        _observed(name, noun),
        counter="count",
        times=each.numerator,
        by=by,
        start=int(start * by),
    )


def _scale(worth: Fraction) -> int:
    """Return the power of ten of the coarsest step that a pulse is a whole number of.

    Where that is none, or beyond DIGITS, as many digits are told; a pulse is never less than a
    step.
    """
    first = 0
    while Fraction(10) ** first > worth:
        first -= 1
    while Fraction(10) ** (first + 1) <= worth:
        first += 1
    finest = first - DIGITS + 1
    whole = (n for n in range(first, finest, -1) if (worth / Fraction(10) ** n).denominator == 1)
    return next(whole, finest)


def _observed(name: str, noun: str) -> str:
    return OBSERVED.get(name, CONSUMED if noun in {"energy", "volume"} else "")
