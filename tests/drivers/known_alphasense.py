"""Known answers of the Alphasense driver and its tables, and changes that must not give them.

The certificates are those of a published script (five B4 cells on their boards: electronic zeros,
sensitivities; its totals less its electronic zeros are the sensor zeros). What its voltages mean
was worked out by hand with the formulas of AAN 803.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from drivers.aan803 import Zeros
from drivers.electrodes import Cell
from edgenode.reading import Quality

CLAMPED, ESTIMATED, FAULT, OK = Quality.CLAMPED, Quality.ESTIMATED, Quality.FAULT, Quality.OK
SO2 = Zeros(341.0, 291.0, 37.0, 71.0)
# -30, 5, 20, 47 °C and beyond both ends, of algorithm 1 unless another is named
TABLES: tuple[tuple[str, str, int, tuple[float, ...]], ...] = (
    ("a4", "co", 1, (1.0, 0.4, -0.9, -1.5, 1.0, -1.5)),
    ("a4", "h2s", 2, (-1.5, 0.0, 1.0, 0.36, -1.5, 0.3)),
    ("a4", "no", 3, (0.7, 0.75, 1.0, 1.54, 0.7, 1.6)),
    ("a4", "no2", 1, (0.8, 1.4, 1.8, 3.27, 0.8, 3.6)),
    ("a4", "ox", 3, (0.1, 0.5, 1.0, 3.7, 0.1, 4.0)),
    ("a4", "so2", 1, (1.3, 1.05, 0.4, 0.4, 1.3, 0.4)),
    ("b4", "co", 1, (0.7, 0.85, 3.0, 4.35, 0.7, 4.5)),
    ("b4", "h2s", 1, (-0.6, 0.05, -2.5, -1.92, -0.6, -1.8)),
    ("b4", "no", 2, (1.8, 1.1, 1.0, 0.83, 1.8, 0.8)),
    ("b4", "no2", 1, (1.3, 1.15, 0.6, -0.99, 1.3, -1.5)),
    ("b4", "ox", 1, (0.9, 1.4, 1.7, 3.34, 0.9, 3.7)),
    ("b4", "so2", 4, (-4.0, -4.0, 0.0, 357.0, -4.0, 450.0)),
)
WARMTHS = (-30.0, 5.0, 20.0, 47.0, -45.0, 70.0)

OF_AAN803 = (
    ("COLDEST: Final = -30.0", "COLDEST: Final = -20.0"),
    ("HOTTEST: Final = 50.0", "HOTTEST: Final = 40.0"),
    ("STEP: Final = 10.0", "STEP: Final = 9.0"),
    ("1.3, 1.0, 0.6, 0.4", "1.3, 1.0, 0.4, 0.6"),
    ("(second - first) * (place", "(second + first) * (place"),
    ("we - scale * ae\n    if algorithm == 2", "we + scale * ae\n    if algorithm == 2"),
    ("zeros.we / zeros.ae", "zeros.ae / zeros.we"),
    ("(zeros.we - zeros.ae) - scale", "(zeros.we + zeros.ae) - scale"),
    ("return we - zeros.we - scale", "return we - zeros.we + scale"),
    ("return we - zeros.we - scale", "return we - scale"),
    ("we_mv - zeros.we_electronic", "we_mv + zeros.we_electronic"),
    ("ae_mv - zeros.ae_electronic", "ae_mv - zeros.we_electronic"),
    ("min(max(celsius, COLDEST), HOTTEST)", "celsius"),
)
OF_ELECTRODES = (
    ("signal / cell.sensitivity", "signal * cell.sensitivity"),
    ("signal -= no2.value", "signal += no2.value"),
    ("no2.value * cell.no2_sensitivity", "no2.value * cell.sensitivity"),
    ("quality = worst(quality, no2.quality)", "quality = no2.quality"),
    ("if not COLDEST <=", "if COLDEST <="),
    ("return min(qualities", "return max(qualities"),
    ("self.we_electronic_mv, self.ae_electronic_mv, self", "self.ae_electronic_mv, 0.0, self"),
    ("if self.algorithm is None", "if self.algorithm is not None"),
    ("we.quality, ae.quality, warm", "we.quality, warm"),
)
OF_THE_DRIVER = (
    ("MV: Final = 1000", "MV: Final = 100"),
    ('"2.048"', '"4.096"'),
    ('"o3" if cell.gas == "ox" and no2', '"o3" if cell.gas == "ox" or no2'),
    ("ROOM: Final = (-50.0, 90.0)", "ROOM: Final = (-50.0, 900.0)"),
    ("thermometer.factor * level.mv / MV + ", "thermometer.factor * level.mv / MV - "),
    ("options.temperature_c, Quality.ESTIMATED", "options.temperature_c, Quality.OK"),
    ("Quality.CLAMPED if count in ENDS", "Quality.OK if count in ENDS"),
    ('key=lambda cell: cell.gas == "ox"', 'key=lambda cell: cell.gas != "ox"'),
    ("level.quality is Quality.OK and", ""),
    ("MV / COUNTS", "MV * COUNTS"),
    ("levels[cell.we], levels[cell.ae], warm", "levels[cell.ae], levels[cell.we], warm"),
)


def a_cell(gas: str, pins: tuple[int, int], *numbers: float, **rest: Any) -> Any:
    """Return a B4 cell: both electronic zeros, both sensor zeros, sensitivity."""
    return Cell(gas, "b4", *pins, f"{gas}-1", "2026-03-02", *numbers, **rest)  # type: ignore[arg-type]


NO2 = a_cell("no2", (0, 1), 224, 226, -4, -2, 0.223)
OX = a_cell("ox", (2, 3), 227, 219, -7, -4, 0.334, no2_sensitivity=0.31)
SEEN = (72.681652, 260.0, 217.0, 40.078475, 232.1875, 224.5, 25.0)  # °C last
NO = a_cell("no", (0, 1), 291, 248, 53, 62, 0.604)


def aan803_holds(module: ModuleType) -> bool:
    """Whether tables, straight lines between them and the four formulas are those of the note."""
    try:
        for series, gas, algorithm, expected in TABLES:
            row = module.FACTORS[series, gas][algorithm]
            if [module.factor(row, celsius) for celsius in WARMTHS] != pytest.approx(expected):
                return False
    except ValueError:
        return False
    known = [module.corrected(n, 1.6, 391.0, 366.0, SO2) for n in (1, 2, 3, 4)]
    return known == pytest.approx([-70.0, -12.535211, -36.0, 11.4])


def electrodes_hold(module: ModuleType) -> bool:
    """Whether concentrations and their qualities are what the certificates make of volts."""
    try:
        return concentrations_hold(module)
    except KeyError:
        return False


def concentrations_hold(module: ModuleType) -> bool:
    """Whether they are, of a module that knows which algorithm is meant."""
    of = module.concentration
    cells = [
        module.Cell(*(getattr(cell, f) for f in cell.__struct_fields__)) for cell in (NO2, OX, NO)
    ]
    no2, ox, no = cells
    good = [module.Level(mv, OK) for mv in (232.2, 224.5, 260.0, 217.0)]
    warm, cold = module.Told(25.0, OK), module.Told(-31.0, OK)
    first = of(no2, good[0], good[1], warm, None)
    second = of(ox, good[2], good[3], warm, first)
    end = module.Level(232.2, CLAMPED)
    return (
        first == (pytest.approx(40.134529), OK)
        and second == (pytest.approx(72.629628), OK)
        and of(ox, good[2], good[3], warm, module.Told(None, FAULT)) == (None, FAULT)
        and of(ox, good[2], good[3], warm, module.Told(1.0, CLAMPED)).quality is CLAMPED
        and of(ox, end, good[3], warm, module.Told(1.0, OK)).quality is CLAMPED
        and of(no2, good[0], end, warm, None).quality is CLAMPED
        and of(no2, good[0], good[1], cold, None).quality is ESTIMATED
        and of(no2, good[0], good[1], module.Told(None, FAULT), None) == (None, FAULT)
        and of(no, module.Level(350.0, OK), module.Level(310.0, OK), warm, None).value
        == pytest.approx(14.321192)
    )


def driver_holds(module: ModuleType) -> bool:
    """Whether counts of all pins become the channels that are declared, in their order."""
    thermometer = module.Thermometer(4, 1000, -277.0)
    counts = {0: 3715, 1: 3592, 2: 4160, 3: 3472, 4: 4832}
    whole = module.AlphasenseOptions((OX, NO2), second=0x49, thermometer=thermometer)
    coarse = module.AlphasenseOptions((OX,), second=0x49, thermometer=module.Thermometer(4, 10, 0))
    guessed = module.AlphasenseOptions((OX,), temperature_c=25.0)
    try:
        sample = module.decode(whole, counts)
        hot = module.decode(whole, counts | {4: 6100})
        burnt = module.decode(coarse, counts | {4: 0x7FFF})  # would be 20.5 °C
        clipped = module.decode(whole, counts | {0: 0x7FFF})
        alone = module.decode(guessed, counts)
    except (TypeError, KeyError):
        return False
    names = [channel.name for channel in module.Alphasense.declare(whole)]
    return (
        sample.values == pytest.approx(SEEN)
        and sample.values[-1] == pytest.approx(25.0)
        and not sample.quality
        and names == ["o3", "ox_we", "ox_ae", "no2", "no2_we", "no2_ae", "temperature"]
        and hot.values[-1] is hot.values[0] is None
        and burnt.values[-1] is None
        and clipped.quality == (CLAMPED, OK, OK, CLAMPED, CLAMPED, OK, OK)
        and alone.quality == (ESTIMATED, OK, OK)
        and [c.name for c in module.Alphasense.declare(guessed)] == ["ox", "ox_we", "ox_ae"]
    )
