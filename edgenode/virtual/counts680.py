"""Raw counts of a BME680 for given air: Bosch's formulas, searched for what gives it.

BST-BME680-DS001 §3.3 and §3.4.1: temperature, humidity and gas in integers. Pressure is in floating
point, since the integers of that formula are 4 Pa coarse. The drivers compute the other way round
and share no code with this.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from edgenode.virtual.counts import BITS_16, BITS_20, first

BITS_10: Final = (1 << 10) - 1
RANGES: Final = range(16)
# §3.4.1: constants of each gas range, 2^31 and 4.096e9 / 2^range less what the range is wrong by.
CURRENT: Final = (
    *(2147483647, 2147483647, 2147483647, 2147483647),
    *(2147483647, 2126008810, 2147483647, 2130303777),
    *(2147483647, 2147483647, 2143188679, 2136746228),
    *(2147483647, 2126008810, 2147483647, 2147483647),
)
SPAN: Final = (
    *(4096000000, 2048000000, 1024000000, 512000000),
    *(255744255, 127110228, 64000000, 32258064),
    *(16016016, 8000000, 4000000, 2000000),
    *(1000000, 500000, 250000, 125000),
)


class Trim680(NamedTuple):
    """The calibration of one chip, as the datasheet names it."""

    t1: int
    t2: int
    t3: int
    p1: int
    p2: int
    p3: int
    p4: int
    p5: int
    p6: int
    p7: int
    p8: int
    p9: int
    p10: int
    h1: int
    h2: int
    h3: int
    h4: int
    h5: int
    h6: int
    h7: int
    g1: int
    g2: int
    g3: int
    heat_range: int
    heat_value: int
    range_error: int


# T, P and H: a chip that the README of github.com/wrclark/bme680 shows; the rest: of their order.
EXAMPLE680: Final = Trim680(
    *(26203, 26519, 3),
    *(35008, -10284, 88, 9692, -202, 30, 24, -516, -3469, 30),
    *(794, 1007, 0, 45, 20, 120, -100),
    *(-30, -5969, 18),
    *(1, 50, 2),
)


class Counts680(NamedTuple):
    """What the analogue side delivered."""

    temperature: int  # 20 bits
    pressure: int  # 20 bits
    humidity: int  # 16 bits
    gas: int  # 10 bits
    gas_range: int  # 4 bits


def t_fine(adc: int, c: Trim680) -> int:
    """Return the temperature in 1/5120 °C."""
    one = (adc >> 3) - (c.t1 << 1)
    two = (one * c.t2) >> 11
    return two + (((((one >> 1) * (one >> 1)) >> 12) * (c.t3 << 4)) >> 14)


def pascal(adc: int, fine: int, c: Trim680) -> float:
    """Return the pressure in Pa."""
    one = fine / 2 - 64000
    two = one * one * (c.p6 / 131072) + one * c.p5 * 2
    two = two / 4 + c.p4 * 65536
    one = (c.p3 * one * one / 16384 + c.p2 * one) / 524288
    p = (1048576 - adc - two / 4096) * 6250 / ((1 + one / 32768) * c.p1)
    one = c.p9 * p * p / 2147483648 + p * (c.p8 / 32768)
    return p + (one + (p / 256) * (p / 256) * (p / 256) * c.p10 / 131072 + c.p7 * 128) / 16


def humidity_milli(adc: int, fine: int, c: Trim680) -> int:
    """Return the relative humidity in 1/1000 %, not yet held between 0 and 100."""
    t = (fine * 5 + 128) >> 8
    one = adc - c.h1 * 16 - ((t * c.h3 // 100) >> 1)
    two = (c.h2 * (t * c.h4 // 100 + ((t * (t * c.h5 // 100)) >> 6) // 100 + 16384)) >> 10
    three = one * two
    four = ((c.h6 << 7) + t * c.h7 // 100) >> 4
    return ((three + ((four * (((three >> 14) * (three >> 14)) >> 10)) >> 1)) >> 10) * 1000 >> 12


def low_ohm(adc: int, step: int, c: Trim680) -> float:
    """Return the resistance in Ohm of a BME680."""
    one = ((1340 + 5 * c.range_error) * CURRENT[step]) >> 16
    two = (adc << 15) - 16777216 + one
    return (((SPAN[step] * one) >> 9) + (two >> 1)) / two


def high_ohm(adc: int, step: int, _: Trim680) -> float:
    """Return the resistance in Ohm of a BME688."""
    return (262144 >> step) * 1e6 / (4096 + (adc - 512) * 3)


@lru_cache(maxsize=4096)
def counts680(
    celsius: float, percent: float, pa: float, ohm: float, variant: int, c: Trim680 = EXAMPLE680
) -> Counts680:
    """Return the counts whose decoded values lie nearest; at the ends of the range, the ends."""
    wanted = round(celsius * 5120)
    adc_t = first(lambda n: t_fine(n, c) >= wanted, BITS_20)
    fine = t_fine(adc_t, c)
    adc_p = first(lambda n: pascal(n, fine, c) <= pa, BITS_20)
    adc_h = first(lambda n: humidity_milli(n, fine, c) >= percent * 1000, BITS_16)
    of = high_ohm if variant else low_ohm
    step = next((r for r in RANGES if of(BITS_10, r, c) <= ohm), RANGES[-1])
    return Counts680(adc_t, adc_p, adc_h, first(lambda n: of(n, step, c) <= ohm, BITS_10), step)


def plate_celsius(setting: int, ambient: float, c: Trim680) -> float:
    """Return how hot a setting of the heater (0x5A) makes the plate: §3.3.5 solved for it."""
    ohm = (setting / 3.4 + 25) * (1 + c.heat_value * 0.002) * (4 + c.heat_range) / 4
    cold = c.g1 / 16 + 49
    return ((ohm - c.g3 / 1024 * ambient) / cold - 1) / (c.g2 * 0.0005 / 32768 + 0.00235)
