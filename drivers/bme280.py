"""Bosch BME280: air temperature, relative humidity and pressure over I2C.

Datasheet: Bosch Sensortec BST-BME280-DS002 (2018 and later): forced mode §3.3.3, compensation in
double precision §4.2.3 and §8.1, memory map §5.3, measurement time §9.1. The compensation of
temperature and pressure agrees with Linux's bmp280 driver on the datasheet's example.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.driver import Driver, Options, WireKind
from edgenode.errors import BadFrame, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Quality, Sample

CHIP_ID: Final = 0x60
BMP280_IDS: Final = frozenset({0x56, 0x57, 0x58})

REG_CALIBRATION_LOW: Final = 0x88  # 26 bytes: T1-T3, P1-P9, one unused, H1
REG_ID: Final = 0xD0
REG_RESET: Final = 0xE0
REG_CALIBRATION_HIGH: Final = 0xE1  # 7 bytes: H2-H6
REG_CTRL_HUM: Final = 0xF2
REG_STATUS: Final = 0xF3
REG_CTRL_MEAS: Final = 0xF4

RESET: Final = b"\xb6"
HUMIDITY_X1: Final = 0x01
ALL_X1_SLEEP: Final = 0x24  # temperature x1, pressure x1, mode bits 00
ALL_X1_FORCED: Final = 0x25
STATUS_BUSY: Final = 0x09  # measuring, or copying the calibration out of its memory

FRAME_BYTES: Final = 13  # 0xF2..0xFE: what we asked for, then what was measured
SKIPPED_20_BITS: Final = 0x80000  # the result of a measurement that was switched off
SKIPPED_HUMIDITY: Final = 0x8000
MEASURING_S: Final = 0.010  # 9.3 ms at most with every oversampling at x1 (§9.1)
STARTING_S: Final = 0.002  # after power-on and reset (§1.1)
TRIES: Final = 5


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
        if low[0:2] in {b"\x00\x00", b"\xff\xff"} or low[6:8] in {b"\x00\x00", b"\xff\xff"}:
            raise BadFrame("BME280: its calibration memory did not answer; check supply and wiring")
        words = struct.unpack("<Hhh Hhhhhhhhh xB", low)
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", high)
        h4, h5 = e4 << 4 | e5 & 15, e6 << 4 | e5 >> 4
        return cls(words[:3], words[3:12], (words[12], h2, h3, h4, h5, h6))


def heat(raw_t: int, cal: Calibration) -> float:
    """Return the datasheet's t_fine, 1/5120 °C, which all three compensations need."""
    t1, t2, t3 = cal.t
    x = raw_t / 16384 - t1 / 1024
    return x * t2 + (x / 8) ** 2 * t3


def pressure(raw_p: int, fine: float, cal: Calibration) -> float:
    """Return the pressure in Pa."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = cal.p
    a = fine / 2 - 64000
    b = (a * a * p6 / 32768 + a * p5 * 2) / 4 + p4 * 65536
    scale = (1 + (p3 * a * a / 524288 + p2 * a) / 524288 / 32768) * p1
    if not scale:
        raise ImpossibleValue("BME280: its calibration gives no pressure at this temperature")
    p = (1048576 - raw_p - b / 4096) * 6250 / scale
    return p + (p9 * p * p / 2147483648 + p * p8 / 32768 + p7) / 16


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
    humidity_control, config = frame[0] & 0x07, frame[3] & 0xFD  # reserved bits mean nothing
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
    raw_p, raw_t = (int.from_bytes(results[i : i + 3], "big") >> 4 for i in (0, 3))
    raw_h = int.from_bytes(results[6:8], "big")
    no_t, no_p = raw_t == SKIPPED_20_BITS, raw_p == SKIPPED_20_BITS
    no_h = raw_h == SKIPPED_HUMIDITY
    if no_t and no_p and no_h:
        raise ImpossibleValue("BME280: every measurement was skipped; was it just reset?")
    if no_t:
        return Sample((None, None, None), (Quality.FAULT,) * 3)
    fine = heat(raw_t, cal)
    relative = humidity(raw_h, fine, cal)
    held = min(max(relative, 0.0), 100.0)  # the datasheet holds it so (§4.2.3)
    values = (
        fine / 5120,
        None if no_h else held,
        None if no_p else pressure(raw_p, fine, cal),
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


class BME280Options(Options, frozen=True):
    """What an installer may choose: 0x76 where SDO is low, 0x77 where it is high."""

    address: Annotated[Literal[0x76, 0x77], Meta(description="0x76 or 0x77")] = 0x76


class BME280(Driver):
    """One chip in forced mode: it measures when asked and sleeps in between, so it stays cool."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "BME280"
    options: ClassVar[type[Options]] = BME280Options
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=85),
        # Its noise is 0.02 %RH and its accuracy 3 %RH (§1.2): a finer scale would carry noise.
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
        Channel(
            "pressure",
            "Pa",
            0,
            observed="WeatherObserved/atmosphericPressure",
            low=30_000,
            high=110_000,
        ),
    )
    budget_s: ClassVar[float] = 0.25  # 12 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 0.05  # a measurement of 10 ms, and time to cool

    def __init__(
        self, wire: I2CDevice, options: BME280Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._sleep = wire, sleep
        self._where = f"0x{options.address:02x}"
        self._prove_identity()
        self._i2c.write(REG_RESET, RESET)  # what an earlier program set up must not matter
        self._await_calibration()
        self._calibration = Calibration.unpack(
            wire.read(REG_CALIBRATION_LOW, 26), wire.read(REG_CALIBRATION_HIGH, 7)
        )

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout, BadFrame or ImpossibleValue."""
        del now_ms  # a forced measurement is about now by itself
        self._i2c.write(REG_CTRL_HUM, bytes((HUMIDITY_X1,)))  # takes effect with the next write
        self._i2c.write(REG_CTRL_MEAS, bytes((ALL_X1_FORCED,)))
        self._sleep(MEASURING_S)
        for _ in range(TRIES):
            frame = self._i2c.read(REG_CTRL_HUM, FRAME_BYTES)
            if not self._measuring(frame):
                return decode(proved(frame), self._calibration)
            self._sleep(STARTING_S)
        raise BusTimeout(f"BME280 at {self._where}: still measuring; is the supply stable?")

    def close(self) -> None:
        """Give the descriptor back; forced mode has already put the chip to sleep."""
        self._i2c.close()

    def _measuring(self, frame: bytes) -> bool:
        """Whether the chip says so; only a forced measurement of ours is worth waiting for."""
        return bool(frame[1] & STATUS_BUSY) and frame[2] == ALL_X1_FORCED

    def _prove_identity(self) -> None:
        chip = self._i2c.read(REG_ID, 1)[0]
        if chip in BMP280_IDS:
            raise WrongDevice(
                f"the chip at {self._where} is a BMP280 (id 0x{chip:02x}), which has no humidity; "
                "a BME280 was configured"
            )
        if chip != CHIP_ID:
            raise WrongDevice(
                f"expected a BME280 (id 0x60) at {self._where}, found id 0x{chip:02x}; "
                "check the address and what is soldered there"
            )

    def _await_calibration(self) -> None:
        for _ in range(TRIES):
            self._sleep(STARTING_S)
            if not self._i2c.read(REG_STATUS, 1)[0] & STATUS_BUSY:
                return
        raise BusTimeout(f"BME280 at {self._where}: not ready after a reset; is it a BME280?")
