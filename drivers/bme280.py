"""Bosch BME280: air temperature, relative humidity and pressure over I2C.

Datasheet: Bosch Sensortec BST-BME280-DS002 (2018 and later): forced mode §3.3.3, compensation in
double precision §4.2.3 and §8.1, memory map §5.3, measurement time §9.1. The compensation of
temperature and pressure agrees with Linux's bmp280 driver on the datasheet's example.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Final, NamedTuple

from drivers.bosch import (
    HUMIDITY,
    HUMIDITY_X1,
    PRESSURE,
    SKIPPED_16_BITS,
    TEMPERATURE,
    BoschOptions,
    Controls,
    air,
    heat,
    pressure,
    twenty_bits,
)
from drivers.bosch280 import REG_CALIBRATION, Forced280, trim
from edgenode.reading import Channel, Sample

REG_CALIBRATION_HIGH: Final = 0xE1  # 7 bytes: H2-H6
REG_CTRL_HUM: Final = 0xF2


class Calibration(NamedTuple):
    """The trim factors burnt into this one chip: T1-T3, P1-P9 and H1-H6 in datasheet order."""

    t: tuple[int, ...]
    p: tuple[int, ...]
    h: tuple[int, ...]

    @classmethod
    def unpack(cls, low: bytes, high: bytes) -> Calibration:
        """Unpack 0x88..0xA1 and 0xE1..0xE7; H4 and H5 are 12 bits and share the byte 0xE5.

        Raises BadFrame for memory that did not answer (all zeros or all ones).
        """
        t, p = trim(low, "BME280")
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", high)
        h4, h5 = e4 << 4 | e5 & 15, e6 << 4 | e5 >> 4
        return cls(t, p, (low[25], h2, h3, h4, h5, h6))


def humidity(raw_h: int, fine: float, cal: Calibration) -> float:
    """Return the relative humidity in %, not yet held between 0 and 100."""
    h1, h2, h3, h4, h5, h6 = cal.h
    d = fine - 76800
    h = (raw_h - (h4 * 64 + h5 / 16384 * d)) * (
        h2 / 65536 * (1 + h6 / 67108864 * d * (1 + h3 / 67108864 * d))
    )
    return h * (1 - h1 * h / 524288)


def decode(results: bytes, cal: Calibration) -> Sample:
    """Turn the eight bytes from 0xF7 into °C, %RH and Pa.

    Raises ImpossibleValue without a temperature.
    """
    raw_p, raw_t = twenty_bits(results, "BME280")
    raw_h = int.from_bytes(results[6:8], "big")
    fine = heat(raw_t, cal.t)
    values, quality = air(
        fine,
        None if raw_h == SKIPPED_16_BITS else humidity(raw_h, fine, cal),
        None if raw_p is None else pressure(raw_p, fine, cal.p),
    )
    return Sample(values, quality if any(quality) else ())


class BME280Options(BoschOptions, frozen=True):
    """What an installer may choose: 0x76 where SDO is low, 0x77 where it is high."""


class BME280(Forced280):
    """A BME280 in forced mode."""

    model: ClassVar[str] = "BME280"
    options: ClassVar[type[BoschOptions]] = BME280Options
    channels: ClassVar[tuple[Channel, ...]] = (TEMPERATURE, HUMIDITY, PRESSURE)
    first: ClassVar[int] = REG_CTRL_HUM  # to 0xFE: what we asked for, then what was measured
    burst: ClassVar[int] = 13
    controls: ClassVar[Controls] = {**Forced280.controls, REG_CTRL_HUM: (0x07, HUMIDITY_X1)}

    def _calibrate(self) -> None:
        low, high = self._i2c.read(REG_CALIBRATION, 26), self._i2c.read(REG_CALIBRATION_HIGH, 7)
        self._calibration = Calibration.unpack(low, high)

    def _prepare(self) -> None:
        self._i2c.write(REG_CTRL_HUM, bytes((HUMIDITY_X1,)))  # takes effect with the next write

    def _sample(self, results: bytes) -> Sample:
        return decode(results, self._calibration)
