"""Sensirion SHT30, SHT31, SHT35 and SHT85: air temperature and relative humidity over I2C.

Datasheet: Sensirion SHT3x-DIS version 7 (December 2022): timing §2.2 (table 4), single shot §4.3
(table 9), break §4.8, soft reset §4.9 (table 14), status §4.11, conversion §4.13. The serial
number is that of Sensirion's note "Electronic identification code SHT3x". Commands and conversion
agree with Adafruit's and Sensirion's drivers, the command of the serial number with ESPHome's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import Commands, answers_unasked
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame
from edgenode.reading import Channel, Sample

Precision = Literal["high", "medium", "low"]

# Commands without clock stretching, and the longest each may take (15.5, 6.5 and 4.5 ms at 2.4 V).
MEASURE: Final[dict[Precision, tuple[int, float]]] = {
    "high": (0x2400, 0.016),
    "medium": (0x240B, 0.007),
    "low": (0x2416, 0.005),
}
BREAK: Final = 0x3093  # ends a periodic measurement, in which it obeys no reset
SOFT_RESET: Final = 0x30A2  # also ends heating
SERIAL: Final = 0x3682
SERIAL_WORDS: Final = 2
STARTING_S: Final = 0.002  # 1 ms after a break, 1.5 ms after a reset
ANSWERING_S: Final = 0.001
TRIES: Final = 5


def decode(raw_t: int, raw_rh: int) -> Sample:
    """Turn two words into °C and %RH (§4.13)."""
    return Sample((-45 + 175 * raw_t / 65535, 100 * raw_rh / 65535))


class SHT3xOptions(Options, frozen=True):
    """What an installer may choose; pin ADDR gives the address."""

    address: Annotated[
        Literal[0x44, 0x45], Meta(description="0x44 (ADDR at ground) or 0x45 (ADDR at supply)")
    ] = 0x44
    precision: Annotated[
        Precision, Meta(description="less noise or less time: high 16, medium 7, low 5 ms")
    ] = "high"


class SHT3x(Driver):
    """One chip that measures when asked and sleeps in between; its heater is never switched on."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "SHT3x"
    options: ClassVar[type[Options]] = SHT3xOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        # Repeats to 0.04 °C and 0.08 %RH (3 sigma, §1) and is right to 0.2 °C and 2 %RH.
        Channel(
            "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=125
        ),
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
    )
    budget_s: ClassVar[float] = 0.25  # 17 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 0.1  # measured more often, the part warms itself
    addresses: ClassVar[tuple[int, ...]] = (0x44, 0x45)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: SHT3xOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        self._part = Commands(wire, f"SHT3x at 0x{options.address:02x}", sleep, TRIES)
        self._measure, self._measuring_s = MEASURE[options.precision]
        for command in (BREAK, SOFT_RESET):  # what an earlier program began must not matter
            self._part.nudge(command, STARTING_S)
        self._part.identity(SERIAL, SERIAL_WORDS, wait_s=ANSWERING_S)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its serial number, whose words carry checksums."""
        if answers_unasked(wire):
            return None  # a part with registers: it would take the command for one
        try:
            high, low = Commands(wire, cls.model, sleep).ask(
                SERIAL, SERIAL_WORDS, wait_s=ANSWERING_S
            )
        except BadFrame:
            return None
        return Found(f"SHT3x, serial number {high:04x}{low:04x}")

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # a measurement on request is about now by itself
        raw_t, raw_rh = self._part.ask(self._measure, 2, wait_s=self._measuring_s)
        return decode(raw_t, raw_rh)

    def close(self) -> None:
        """Give the descriptor back; the chip sleeps by itself after each measurement."""
        self._i2c.close()
