"""What a BME680's trim factors make of its raw numbers: humidity, gas resistance and heater.

Datasheet: Bosch Sensortec BST-BME680-DS001 §3.3 (compensation and heater), §3.4.1 (gas resistance
and its range constants); the high range variant by BST-BME688-DS000 §3.4.1. All formulas in their
floating-point form, as in Bosch's BME68x Sensor API; Pimoroni's driver has the integer form.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from edgenode.errors import BadFrame

# Errors of each gas range, in % (table "look up table 1 and 2", §3.4.1): of the chip's constant
# current, and of its converter.
K1: Final = (0, 0, 0, 0, 0, -1, 0, -0.8, 0, 0, -0.2, -0.5, 0, -1, 0, 0)
K2: Final = (0, 0, 0, 0, 0.1, 0.7, 0, -0.8, -0.1, 0, 0, 0, 0, 0, 0, 0)
LONGEST_WAIT: Final = 0x3F  # of the six bits of a gas wait, ms times 1, 4, 16 or 64


class Trim(NamedTuple):
    """The trim factors burnt into this one chip, T and P weighted as a BMP280's are."""

    t: tuple[float, ...]  # T1-T3
    p: tuple[float, ...]  # P1-P9
    p10: int
    h: tuple[int, ...]  # H1-H7
    gas: tuple[int, ...]  # G1-G3
    heater_value: int
    heater_range: int
    range_error: int

    @classmethod
    def unpack(cls, low: bytes, high: bytes, other: bytes) -> Trim:
        """Unpack 0x8A..0xA0, 0xE1..0xEE and 0x00..0x04.

        Raises BadFrame for memory that did not answer (all zeros or all ones).
        """
        if low[:2] in {b"\x00\x00", b"\xff\xff"} or high[8:10] in {b"\x00\x00", b"\xff\xff"}:
            raise BadFrame("BME680: its calibration memory did not answer; check supply and wiring")
        t2, t3, p1, p2, p3, p4, p5, p7, p6, p8, p9, p10 = struct.unpack(
            "<hbx Hhbx hhbb xx hhB", low
        )
        e1, e2, e3, h3, h4, h5, h6, h7, t1, g2, g1, g3 = struct.unpack("<BBB bbb B b H h bb", high)
        value, heater_range, error = struct.unpack("<bxBxb", other)
        return cls(
            (t1, t2, t3 * 16),
            (p1, p2, p3 * 32, p4, p5, p6 / 4, p7 * 128, p8, p9),
            p10,
            (e3 << 4 | e2 & 15, e1 << 4 | e2 >> 4, h3, h4, h5, h6, h7),  # H1 and H2 share 0xE2
            (g1, g2, g3),
            value,
            heater_range >> 4 & 3,
            error >> 4,
        )


def humidity(raw_h: int, celsius: float, h: tuple[int, ...]) -> float:
    """Return the relative humidity in %, not yet held between 0 and 100; H1-H7."""
    h1, h2, h3, h4, h5, h6, h7 = h
    above = raw_h - (h1 * 16 + h3 / 2 * celsius)
    slope = h2 / 262144 * (1 + h4 / 16384 * celsius + h5 / 1048576 * celsius * celsius)
    percent = above * slope
    return percent + (h6 / 16384 + h7 / 2097152 * celsius) * percent * percent


def low_gas(adc: int, step: int, range_error: int) -> float:
    """Return the resistance in Ohm that variant 0 (BME680) measured in range `step`, 0 to 15."""
    scale = (1340 + 5 * range_error) * (1 + K1[step] / 100)
    return 8_000_000 / ((1 + K2[step] / 100) * (1 << step) * ((adc - 512) / scale + 1))


def high_gas(adc: int, step: int) -> float:
    """Return the resistance in Ohm that variant 1 (BME688) measured in range `step`, 0 to 15."""
    return 1_000_000 * (262144 >> step) / (4096 + 3 * (adc - 512))


def heater(celsius: float, ambient: float, trim: Trim) -> int:
    """Return the setting that heats the plate to `celsius` in air of `ambient` °C."""
    g1, g2, g3 = trim.gas
    resistance = (g1 / 16 + 49) * (1 + (g2 / 32768 * 0.0005 + 0.00235) * celsius)
    resistance += g3 / 1024 * ambient
    wanted = resistance * 4 / (4 + trim.heater_range) / (1 + trim.heater_value * 0.002)
    return min(max(int(3.4 * (wanted - 25)), 0), 0xFF)


def gas_wait(ms: int) -> int:
    """Return the setting that heats at least so long, 1 to 4032 ms."""
    for factor in range(4):
        steps = -(-ms >> 2 * factor)
        if steps <= LONGEST_WAIT:
            return factor << 6 | steps
    return 0xFF


def heating_s(setting: int) -> float:
    """Return for how long a setting of `gas_wait` heats."""
    return ((setting & LONGEST_WAIT) << 2 * (setting >> 6)) / 1000
