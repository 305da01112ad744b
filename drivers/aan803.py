"""Alphasense's corrections of four-electrode cells for the background current. Pure.

Datasheet: Alphasense AAN 803-04/-05, "Correcting for background currents in four electrode toxic
gas sensors": four algorithms, and for each cell the factors of two of them from -30 to 50 °C
(table 3), the recommended one first; for SO2 that is 4, see below. Formulas and all factors stand
alike in fablabbcn/smartcitizen-data (scdata/device/process); those of the A4 cells for algorithms
1 and 3 also in south-coast-science/scs_core (gas/a4/a4_temp_comp.py), those of the B4 cells for 1
in zilverband/be-gas-converter.

The factor of algorithm 4 is a voltage, and public programs do not agree whether in mV or V: it is
taken as mV, as the other voltages of the note, and chosen only by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Gas = Literal["co", "h2s", "no", "no2", "ox", "so2"]
Series = Literal["a4", "b4"]
Algorithm = Literal[1, 2, 3, 4]
Factors = tuple[float, ...]

COLDEST: Final = -30.0  # °C, of the first factor
HOTTEST: Final = 50.0
STEP: Final = 10.0

FACTORS: Final[Mapping[tuple[Series, Gas], Mapping[Algorithm, Factors]]] = {
    ("a4", "co"): {
        1: (1.0, 1.0, 1.0, 1.0, -0.2, -0.9, -1.5, -1.5, -1.5),
        4: (13.0, 12.0, 16.0, 11.0, 4.0, 0.0, -15.0, -18.0, -36.0),
    },
    ("a4", "h2s"): {
        2: (-1.5, -1.5, -1.5, -0.5, 0.5, 1.0, 0.8, 0.5, 0.3),
        1: (3.0, 3.0, 3.0, 1.0, -1.0, -2.0, -1.5, -1.0, -0.5),
    },
    ("a4", "no"): {
        3: (0.7, 0.7, 0.7, 0.7, 0.8, 1.0, 1.2, 1.4, 1.6),
        4: (-25.0, -25.0, -25.0, -25.0, -16.0, 0.0, 56.0, 200.0, 615.0),
    },
    ("a4", "no2"): {
        1: (0.8, 0.8, 1.0, 1.2, 1.6, 1.8, 1.9, 2.5, 3.6),
        3: (0.2, 0.2, 0.2, 0.2, 0.7, 1.0, 1.3, 2.1, 3.5),
    },
    ("a4", "ox"): {
        3: (0.1, 0.1, 0.2, 0.3, 0.7, 1.0, 1.7, 3.0, 4.0),
        1: (1.0, 1.2, 1.2, 1.6, 1.7, 2.0, 2.1, 3.4, 4.6),
    },
    ("a4", "so2"): {
        1: (1.3, 1.3, 1.3, 1.2, 0.9, 0.4, 0.4, 0.4, 0.4),
        4: (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 25.0, 45.0),
    },
    ("b4", "co"): {
        1: (0.7, 0.7, 0.7, 0.7, 1.0, 3.0, 3.5, 4.0, 4.5),
        2: (0.2, 0.2, 0.2, 0.2, 0.3, 1.0, 1.2, 1.3, 1.5),
    },
    ("b4", "h2s"): {
        1: (-0.6, -0.6, 0.1, 0.8, -0.7, -2.5, -2.5, -2.2, -1.8),
        2: (0.2, 0.2, 0.0, -0.3, 0.3, 1.0, 1.0, 0.9, 0.7),
    },
    ("b4", "no"): {
        2: (1.8, 1.8, 1.4, 1.1, 1.1, 1.0, 0.9, 0.9, 0.8),
        3: (0.8, 0.8, 0.8, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3),
    },
    ("b4", "no2"): {
        1: (1.3, 1.3, 1.3, 1.3, 1.0, 0.6, 0.4, 0.2, -1.5),
        3: (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.4, -0.1, -4.0),
    },
    ("b4", "ox"): {
        1: (0.9, 0.9, 1.0, 1.3, 1.5, 1.7, 2.0, 2.5, 3.7),
        3: (0.5, 0.5, 0.5, 0.6, 0.6, 1.0, 2.8, 5.0, 5.3),
    },
    ("b4", "so2"): {
        1: (1.6, 1.6, 1.6, 1.6, 1.6, 1.6, 1.9, 3.0, 5.8),
        4: (-4.0, -4.0, -4.0, -4.0, -4.0, 0.0, 20.0, 140.0, 450.0),
    },
}


class Zeros(NamedTuple):
    """What the certificate says of a cell on its board without any gas, in mV."""

    we_electronic: float  # of the board without the cell
    ae_electronic: float
    we: float  # of the cell alone
    ae: float


def factor(factors: Factors, celsius: float) -> float:
    """Return the factor at a temperature: a straight line between two, held beyond the ends."""
    place = (min(max(celsius, COLDEST), HOTTEST) - COLDEST) / STEP
    below = min(int(place), len(factors) - 2)
    first, second = factors[below : below + 2]
    return first + (second - first) * (place - below)


def corrected(
    algorithm: Algorithm, scale: float, we_mv: float, ae_mv: float, zeros: Zeros
) -> float:
    """Return WEc, the mV of the working electrode that are due to gas.

    `scale` is the factor at the temperature of the cell. Algorithm 2 needs an `ae` that is not 0.
    """
    we, ae = we_mv - zeros.we_electronic, ae_mv - zeros.ae_electronic
    if algorithm == 1:
        return we - scale * ae
    if algorithm == 2:
        return we - scale * (zeros.we / zeros.ae) * ae
    if algorithm == 3:
        return we - (zeros.we - zeros.ae) - scale * ae
    return we - zeros.we - scale
