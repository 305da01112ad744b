"""Bosch BME280: air temperature, relative humidity and pressure over I2C.

Datasheet: Bosch Sensortec BST-BME280-DS002 (2018 and later): forced mode §3.3.3, compensation in
double precision §4.2.3 and §8.1, memory map §5.3, measurement time §9.1. The compensation of
temperature and pressure agrees with Linux's bmp280 driver on the datasheet's example.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Final, NamedTuple

from drivers.bosch import SKIPPED_20_BITS, heat, pressure, twenty_bits
from drivers.bosch280 import (
    ALL_X1_SLEEP,
    CONFIG_RESERVED,
    PRESSURE,
    REG_CALIBRATION,
    TEMPERATURE,
    BoschOptions,
    Forced280,
    trim,
)
from edgenode.errors import BadFrame, ImpossibleValue
from edgenode.reading import Channel, Quality, Sample

REG_CALIBRATION_HIGH: Final = 0xE1  # 7 bytes: H2-H6
REG_CTRL_HUM: Final = 0xF2
HUMIDITY_X1: Final = 0x01
SKIPPED_HUMIDITY: Final = 0x8000


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


def proved(frame: bytes) -> bytes:
    """Return the eight bytes of results out of 0xF2..0xFE, once their company proves them.

    The chip has no checksum. What we wrote to it stands just before the results, so a chip that
    was reset, another chip, or a line that floats gives itself away here. Raises BadFrame.
    """
    humidity_control, config = frame[0] & 0x07, frame[3] & ~CONFIG_RESERVED
    if humidity_control != HUMIDITY_X1 or frame[2] != ALL_X1_SLEEP or config:
        raise BadFrame(
            f"BME280: control registers read {frame[:4].hex(' ')}, not 01 .. 24 00; "
            "was it reset or is another program using it?"
        )
    return frame[5:]


def decode(results: bytes, cal: Calibration) -> Sample:
    """Turn the eight bytes from 0xF7 into °C, %RH and Pa.

    A result that holds the mark of a skipped measurement is a fault, and without a temperature
    nothing can be compensated. Raises ImpossibleValue when all three hold it.
    """
    raw_p, raw_t = twenty_bits(results)
    raw_h = int.from_bytes(results[6:8], "big")
    no_t, no_p = raw_t == SKIPPED_20_BITS, raw_p == SKIPPED_20_BITS
    no_h = raw_h == SKIPPED_HUMIDITY
    if no_t and no_p and no_h:
        raise ImpossibleValue("BME280: every measurement was skipped; was it just reset?")
    if no_t:
        return Sample((None, None, None), (Quality.FAULT,) * 3)
    fine = heat(raw_t, cal.t)
    relative = humidity(raw_h, fine, cal)
    held = min(max(relative, 0.0), 100.0)  # the datasheet holds it so (§4.2.3)
    values = (
        fine / 5120,
        None if no_h else held,
        None if no_p else pressure(raw_p, fine, cal.p),
    )
    if held == relative and not (no_h or no_p):
        return Sample(values)
    of_humidity = Quality.OK if held == relative else Quality.CLAMPED
    return Sample(
        values,
        (
            Quality.OK,
            Quality.FAULT if no_h else of_humidity,
            Quality.FAULT if no_p else Quality.OK,
        ),
    )


class BME280Options(BoschOptions, frozen=True):
    """What an installer may choose: 0x76 where SDO is low, 0x77 where it is high."""


class BME280(Forced280):
    """A BME280 in forced mode."""

    model: ClassVar[str] = "BME280"
    options: ClassVar[type[BoschOptions]] = BME280Options
    channels: ClassVar[tuple[Channel, ...]] = (
        TEMPERATURE,
        # Its noise is 0.02 %RH and its accuracy 3 %RH (§1.2): a finer scale would carry noise.
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
        PRESSURE,
    )
    first: ClassVar[int] = REG_CTRL_HUM  # to 0xFE: what we asked for, then what was measured
    burst: ClassVar[int] = 13

    def _calibrate(self) -> None:
        low, high = self._i2c.read(REG_CALIBRATION, 26), self._i2c.read(REG_CALIBRATION_HIGH, 7)
        self._calibration = Calibration.unpack(low, high)

    def _prepare(self) -> None:
        self._i2c.write(REG_CTRL_HUM, bytes((HUMIDITY_X1,)))  # takes effect with the next write

    def _sample(self, frame: bytes) -> Sample:
        return decode(proved(frame), self._calibration)
