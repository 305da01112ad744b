"""Bosch BMP280: air pressure and temperature over I2C.

Datasheet: Bosch Sensortec BST-BMP280-DS001 (2018 and later): forced mode §3.6.2, measurement time
§3.8.1, compensation §3.11.3 and §8.1 with a worked example in §3.12, memory map §4.2. Linux's
bmp280 driver and Adafruit's make 25.08 °C and 100653.25 Pa of that example.
"""

from __future__ import annotations

from typing import ClassVar, Final

from drivers.bosch import SKIPPED_20_BITS, heat, pressure, twenty_bits
from drivers.bosch280 import (
    ALL_X1_SLEEP,
    CONFIG_RESERVED,
    PRESSURE,
    REG_CALIBRATION,
    REG_CONFIG,
    REG_CTRL_MEAS,
    REG_STATUS,
    TEMPERATURE,
    BoschOptions,
    Forced280,
    trim,
)
from edgenode.errors import BadFrame, ImpossibleValue
from edgenode.reading import Channel, Quality, Sample

Trim = tuple[tuple[int, ...], tuple[int, ...]]  # T1-T3, P1-P9
RESULTS: Final = slice(4, 10)  # of 0xF3..0xFC: pressure and temperature, three bytes each


def proved(frame: bytes) -> bytes:
    """Return the six bytes of results out of 0xF3..0xFC, once their company proves them.

    The chip has no checksum. What we wrote to it stands just before the results, so a chip that
    was reset, another chip, or a line that floats gives itself away here. Raises BadFrame.
    """
    control, config = frame[REG_CTRL_MEAS - REG_STATUS], frame[REG_CONFIG - REG_STATUS]
    if control != ALL_X1_SLEEP or config & ~CONFIG_RESERVED:
        raise BadFrame(
            f"BMP280: control registers read {frame[1:3].hex(' ')}, not 24 00; "
            "was it reset or is another program using it?"
        )
    return frame[RESULTS]


def decode(results: bytes, cal: Trim) -> Sample:
    """Turn the six bytes from 0xF7 into °C and Pa.

    A result that holds the mark of a skipped measurement is a fault, and without a temperature
    no pressure can be compensated: then raises ImpossibleValue.
    """
    t, p = cal
    raw_p, raw_t = twenty_bits(results)
    if raw_t == SKIPPED_20_BITS:
        raise ImpossibleValue("BMP280: the temperature was not measured; was it just reset?")
    fine = heat(raw_t, t)
    if raw_p == SKIPPED_20_BITS:
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

    def _sample(self, frame: bytes) -> Sample:
        return decode(proved(frame), self._trim)
