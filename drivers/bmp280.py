"""Bosch BMP280: air pressure and temperature over I2C.

Datasheet: Bosch Sensortec BST-BMP280-DS001 (2018 and later): forced mode §3.6.2, measurement time
§3.8.1, compensation §3.11.3 and §8.1 with a worked example in §3.12, memory map §4.2. Linux's
bmp280 driver and Adafruit's make 25.08 °C and 100653.25 Pa of that example.
"""

from __future__ import annotations

from typing import ClassVar

from drivers.bosch import PRESSURE, TEMPERATURE, BoschOptions, heat, pressure, twenty_bits
from drivers.bosch280 import REG_CALIBRATION, REG_STATUS, Forced280, trim
from edgenode.reading import Channel, Quality, Sample

Trim = tuple[tuple[int, ...], tuple[int, ...]]  # T1-T3, P1-P9


def decode(results: bytes, cal: Trim) -> Sample:
    """Turn the six bytes from 0xF7 into °C and Pa; a pressure that was not measured is a fault.

    Raises ImpossibleValue without a temperature.
    """
    t, p = cal
    raw_p, raw_t = twenty_bits(results, "BMP280")
    fine = heat(raw_t, t)
    if raw_p is None:
        return Sample((fine / 5120, None), (Quality.OK, Quality.FAULT))
    return Sample((fine / 5120, pressure(raw_p, fine, p)))


class BMP280Options(BoschOptions, frozen=True):
    """What an installer may choose: 0x76 where SDO is low, 0x77 where it is high."""


class BMP280(Forced280):
    """A BMP280 in forced mode."""

    model: ClassVar[str] = "BMP280"
    options: ClassVar[type[BoschOptions]] = BMP280Options
    channels: ClassVar[tuple[Channel, ...]] = (TEMPERATURE, PRESSURE)
    first: ClassVar[int] = REG_STATUS  # to 0xFC: how it was set, then what was measured
    burst: ClassVar[int] = 10

    def _calibrate(self) -> None:
        self._trim = trim(self._i2c.read(REG_CALIBRATION, 24), self.model)

    def _sample(self, results: bytes) -> Sample:
        return decode(results, self._trim)
