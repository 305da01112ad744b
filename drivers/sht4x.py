"""Sensirion SHT40, SHT41, SHT45: air temperature and relative humidity over I2C.

Datasheet: Sensirion SHT4x: timing §3.2 (table 4), commands §4.5 (table 8), conversion §4.6, CRC
§4.4, serial number §4.7, reset §4.8, heater §4.9. Conversion, CRC and the refusal to answer while
measuring agree with Linux's sht4x driver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import words
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame, BusError, BusStuck, BusTimeout, WrongDevice
from edgenode.reading import Channel, Quality, Sample

Precision = Literal["high", "medium", "low"]

# Commands without the heater, and the longest each may take (table 4: 8.3, 4.5 and 1.6 ms).
MEASURE: Final[dict[Precision, tuple[int, float]]] = {
    "high": (0xFD, 0.009),
    "medium": (0xF6, 0.005),
    "low": (0xE0, 0.002),
}
READ_SERIAL: Final = 0x89
SOFT_RESET: Final = 0x94
STARTING_S: Final = 0.002  # 1 ms after power-on and reset (table 4)
ANSWER_BYTES: Final = 6  # two words with a checksum each
RETRY_S: Final = 0.002
TRIES: Final = 5


def decode(raw_t: int, raw_rh: int) -> Sample:
    """Turn two words into °C and %RH; humidity beyond 0..100 is held there and marked so (§4.6)."""
    celsius = -45 + 175 * raw_t / 65535
    relative = -6 + 125 * raw_rh / 65535
    held = min(max(relative, 0.0), 100.0)
    if held == relative:
        return Sample((celsius, held))
    return Sample((celsius, held), (Quality.OK, Quality.CLAMPED))


class SHT4xOptions(Options, frozen=True):
    """What an installer may choose; the letter after "SHT4x-" on the reel gives the address."""

    address: Annotated[
        Literal[0x44, 0x45, 0x46], Meta(description="0x44 (A), 0x45 (B) or 0x46 (C)")
    ] = 0x44
    precision: Annotated[
        Precision, Meta(description="less noise or less time: high 9, medium 5, low 2 ms")
    ] = "high"


class SHT4x(Driver):
    """One chip that measures when asked and sleeps in between; its heater is never switched on."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "SHT4x"
    options: ClassVar[type[Options]] = SHT4xOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        # Repeats to 0.04 °C and 0.08 %RH (3 sigma, §2) and is right to 0.2 °C and 1.8 %RH: a
        # hundredth and a tenth carry all that the part knows; finer steps would carry noise.
        Channel(
            "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-40, high=125
        ),
        Channel(
            "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
        ),
    )
    budget_s: ClassVar[float] = 0.25  # 10 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 0.05  # measured more often, the part warms itself
    addresses: ClassVar[tuple[int, ...]] = (0x44, 0x45, 0x46)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: SHT4xOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._sleep = wire, sleep
        self._where = f"SHT4x at 0x{options.address:02x}"
        self._measure, self._measuring_s = MEASURE[options.precision]
        self._i2c.transfer(bytes((SOFT_RESET,)), 0)  # what an earlier program began must not matter
        self._sleep(STARTING_S)
        self._prove_identity()

    @classmethod
    def identify(
        cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the part by its serial number, whose words carry checksums."""
        wire.transfer(bytes((READ_SERIAL,)), 0)
        sleep(STARTING_S)
        try:
            high, low = words(wire.transfer(b"", ANSWER_BYTES), cls.model)
        except BadFrame:
            return None
        return Found(f"SHT4x, serial number {high:04x}{low:04x}")

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # a measurement on request is about now by itself
        raw_t, raw_rh = words(self._asked(self._measure, self._measuring_s), self._where)
        return decode(raw_t, raw_rh)

    def close(self) -> None:
        """Give the descriptor back; the chip sleeps by itself after each measurement."""
        self._i2c.close()

    def _prove_identity(self) -> None:
        answer = self._asked(READ_SERIAL, STARTING_S)
        try:
            words(answer, self._where)
        except BadFrame as exc:
            raise WrongDevice(
                f"{self._where}: {answer.hex(' ')} is no serial number of an SHT4x; "
                "check the address, what is soldered there, and the wiring"
            ) from exc

    def _asked(self, command: int, wait_s: float) -> bytes:
        """Send a command and fetch its answer; the chip does not acknowledge before it has one."""
        self._i2c.transfer(bytes((command,)), 0)
        self._sleep(wait_s)
        for _ in range(TRIES):
            try:
                return self._i2c.transfer(b"", ANSWER_BYTES)
            except (BusTimeout, BusStuck):
                raise
            except BusError as exc:
                refusal = exc
            self._sleep(RETRY_S)
        raise BusTimeout(
            f"{self._where}: took command 0x{command:02x} and has no answer ({refusal}); "
            "is the supply stable?"
        ) from refusal
