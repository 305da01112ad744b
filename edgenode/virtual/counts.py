"""Raw counts of a BME280 for given weather, by inverting the datasheet's integer formulas.

Bosch BST-BME280-DS002 §4.2.3: temperature and humidity in 32-bit, pressure in 64-bit integers.
The drivers use the floating-point formulas; the two share no code.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

BITS_20: Final = (1 << 20) - 1
BITS_16: Final = (1 << 16) - 1


class Trim(NamedTuple):
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
    h1: int
    h2: int
    h3: int
    h4: int
    h5: int
    h6: int


# T and P: the worked example of Bosch's BMP280 datasheet (§3.12); H: of the order of real chips.
EXAMPLE: Final = Trim(
    *(27504, 26435, -1000),
    *(36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000),
    *(75, 360, 0, 325, 50, 30),
)


class Counts(NamedTuple):
    """What the analogue side delivered."""

    temperature: int  # 20 bits
    pressure: int  # 20 bits
    humidity: int  # 16 bits


def t_fine(adc: int, c: Trim) -> int:
    """Return the temperature in 1/5120 °C."""
    one = (((adc >> 3) - (c.t1 << 1)) * c.t2) >> 11
    two = (((((adc >> 4) - c.t1) * ((adc >> 4) - c.t1)) >> 12) * c.t3) >> 14
    return one + two


def pascal_q8(adc: int, fine: int, c: Trim) -> int:
    """Return the pressure in 1/256 Pa, 0 where the calibration allows none."""
    one = fine - 128000
    two = one * one * c.p6 + ((one * c.p5) << 17) + (c.p4 << 35)
    one = ((one * one * c.p3) >> 8) + ((one * c.p2) << 12)
    one = (((1 << 47) + one) * c.p1) >> 33
    if not one:
        return 0
    p = (((1048576 - adc) << 31) - two) * 3125 // one
    one = (c.p9 * (p >> 13) * (p >> 13)) >> 25
    two = (c.p8 * p) >> 19
    return ((p + one + two) >> 8) + (c.p7 << 4)


def humidity_q22(adc: int, fine: int, c: Trim) -> int:
    """Return the relative humidity in 1/4194304 %, not yet held between 0 and 100."""
    d = fine - 76800
    slope = (((((d * c.h6) >> 10) * (((d * c.h3) >> 11) + 32768)) >> 10) + 2097152) * c.h2 + 8192
    v = (((adc << 14) - (c.h4 << 20) - c.h5 * d + 16384) >> 15) * (slope >> 14)
    return v - (((((v >> 15) * (v >> 15)) >> 7) * c.h1) >> 4)


@lru_cache(maxsize=4096)
def counts(celsius: float, percent: float, pascal: float, c: Trim = EXAMPLE) -> Counts:
    """Return the counts whose decoded values lie nearest; at the ends of the range, the ends."""
    wanted = round(celsius * 5120)
    adc_t = first(lambda n: t_fine(n, c) >= wanted, BITS_20)
    fine = t_fine(adc_t, c)
    adc_p = first(lambda n: pascal_q8(n, fine, c) <= pascal * 256, BITS_20)
    adc_h = first(lambda n: humidity_q22(n, fine, c) >= percent * 4194304, BITS_16)
    return Counts(adc_t, adc_p, adc_h)


def first(reached: Callable[[int], bool], most: int) -> int:
    """Return the least n for which a monotone condition holds, `most` if it never does."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle + 1
    return low
