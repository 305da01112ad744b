"""What Sensirion's SHT3x and SHT4x have in common: they measure once when asked, else they sleep.

Datasheet: see drivers/sht3x.py and drivers/sht4x.py.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Literal

from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import Commands
from edgenode.driver import Driver, Found, Grade, WireKind
from edgenode.errors import BadFrame
from edgenode.reading import Channel, Sample

Precision = Literal["high", "medium", "low"]

SERIAL_WORDS: Final = 2
STARTING_S: Final = 0.002  # the longest that either takes to end what it did, reset, and answer


class Hygrometer(Driver):
    """One chip of a family; its heater is never switched on."""

    wire: ClassVar[WireKind] = "i2c"
    channels: ClassVar[tuple[Channel, ...]] = (
        # They repeat to 0.04 °C and 0.08 %RH (3 sigma) and are right to 0.2 °C and 2 %RH: a
        # hundredth and a tenth carry all that they know; finer steps would carry noise.
        Channel(
            "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=125
        ),
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
    )
    budget_s: ClassVar[float] = 0.25  # 17 ms as a rule; the rest is for a slow or busy bus
    grade: ClassVar[Grade] = "oracle"

    width: ClassVar[int] = 2  # bytes of a command
    serial: ClassVar[int]  # the command that asks for its number
    resets: ClassVar[tuple[int, ...]]  # those that end what an earlier program began
    measure: ClassVar[Mapping[Precision, tuple[int, float]]]  # and the longest that each takes, s

    def __init__(
        self, wire: I2CDevice, options: Any, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        where = f"{self.model} at 0x{options.address:02x}"
        self._part = Commands(wire, where, sleep, self.width)
        self._measure, self._measuring_s = self.measure[options.precision]
        for command in self.resets:
            self._part.nudge(command, STARTING_S)
        self._part.identity(self.serial, SERIAL_WORDS, wait_s=STARTING_S)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its serial number, whose words carry checksums."""
        part = Commands(wire, cls.model, sleep, cls.width)
        try:
            high, low = part.ask(cls.serial, SERIAL_WORDS, wait_s=STARTING_S)
        except BadFrame:
            return None
        return Found(f"{cls.model}, serial number {high:04x}{low:04x}")

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # a measurement on request is about now by itself
        raw_t, raw_rh = self._part.ask(self._measure, 2, wait_s=self._measuring_s)
        return self._sample(raw_t, raw_rh)

    def close(self) -> None:
        """Give the descriptor back; the chip sleeps by itself after each measurement."""
        self._i2c.close()

    @abstractmethod
    def _sample(self, raw_t: int, raw_rh: int) -> Sample:
        """Turn two words into °C and %RH."""
