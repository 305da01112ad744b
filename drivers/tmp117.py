"""Texas Instruments TMP117: temperature to 0.1 °C over I2C.

Datasheet: Texas Instruments SNOSD82 (TMP117): data format §7.3.1 and table 7-1, averaging and
conversion cycle §7.3.2 and table 7-7, configuration §7.6.3, device id §7.6.11, addresses table 7-2,
soft reset §7.5.1 (2 ms). Resolution, registers and ids agree with Linux's tmp117 driver and with
Adafruit's.

It measures by itself, twice a second, so that no read waits for a conversion.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.held import Held, Rhythm
from edgenode.bus.words import Words, signed
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import ImpossibleValue, WrongDevice
from edgenode.reading import Channel, Sample

REG_TEMPERATURE: Final = 0x00
REG_CONFIG: Final = 0x01
REG_ID: Final = 0x0F
ID: Final = 0x0117
RELATIVES: Final = {0x1116: "TMP116", 0x2117: "TMP119"}  # by their ids

SOFT_RESET: Final = 0x0002
DATA_READY: Final = 0x2000  # cleared by reading either register
SET_BY_US: Final = 0x0FFC  # mode, cycle, averages, and how the alert pin behaves
HALF_A_SECOND: Final = 0x0180  # cycle; continuous, and an alert pin as after power-on
AVERAGES: Final = {1: 0x0000, 8: 0x0020, 32: 0x0040}

RESETTING_S: Final = 0.002
STEP: Final = 0.0078125  # °C
NOTHING_YET: Final = -0x8000  # before the first conversion
LATE_MS: Final = 2_000  # four cycles
SILENT_MS: Final = 5_000


def decode(word: int) -> float:
    """Turn the temperature register into °C.

    Raises ImpossibleValue for what stands there before the first conversion.
    """
    raw = signed(word)
    if raw == NOTHING_YET:
        raise ImpossibleValue("TMP117: it has converted nothing yet; was it just reset?")
    return raw * STEP


class TMP117Options(Options, frozen=True):
    """What an installer may choose: the address, and how much noise."""

    address: Annotated[
        Literal[0x48, 0x49, 0x4A, 0x4B],
        Meta(description="0x48 (ADD0 to ground), 0x49 (V+), 0x4a (SDA) or 0x4b (SCL)"),
    ] = 0x48
    averages: Annotated[
        Literal[1, 8, 32],
        Meta(title="conversions a value: more are quieter and warm it", description="1, 8 or 32"),
    ] = 8


class TMP117(Driver):
    """One chip that converts twice a second; each read takes the newest value."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "TMP117"
    options: ClassVar[type[Options]] = TMP117Options
    channels: ClassVar[tuple[Channel, ...]] = (
        # A step is 0.0078 °C, its noise is one step and its accuracy 0.1 to 0.3 (§6.5).
        Channel(
            "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-55, high=150
        ),
    )
    budget_s: ClassVar[float] = 0.1  # 2 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 1.0  # its cycle is 0.5 s, up to 0.56 with 32 averages
    addresses: ClassVar[tuple[int, ...]] = (0x48, 0x49, 0x4A, 0x4B)
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self, wire: I2CDevice, options: TMP117Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c = wire
        self._where = f"TMP117 at 0x{options.address:02x}"
        self._words = Words(wire, self._where)
        self._prove_identity()
        self._words.put(REG_CONFIG, SOFT_RESET)  # what an earlier program set up must not matter
        sleep(RESETTING_S)
        self._config = HALF_A_SECOND | AVERAGES[options.averages]
        self._words.put(REG_CONFIG, self._config)
        rhythm = Rhythm(self._where, LATE_MS, SILENT_MS, "is its supply stable?")
        self._held = Held(rhythm, len(self.channels))

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its device id."""
        del sleep
        return Found("TMP117, id 0x0117") if Words(wire, cls.model).get(REG_ID) == ID else None

    def read(self, now_ms: int) -> Sample:
        """Return the newest value. Raises BusError, BusTimeout, BadFrame or ImpossibleValue."""
        if not self._proved() & DATA_READY:
            return self._held.newest(now_ms, None)
        celsius = decode(self._words.get(REG_TEMPERATURE))
        self._proved()  # also what was read in between came from this chip
        return self._held.newest(now_ms, Sample((celsius,)))

    def close(self) -> None:
        """Give the descriptor back; the chip goes on converting, at 16 µA."""
        self._i2c.close()

    def _proved(self) -> int:
        """Return the configuration; there is no checksum, but it must be as we wrote it."""
        return self._words.prove(REG_CONFIG, self._config, SET_BY_US)

    def _prove_identity(self) -> None:
        found = self._words.get(REG_ID)
        if found in RELATIVES:
            raise WrongDevice(
                f"{self._where} is a {RELATIVES[found]} (id 0x{found:04x}), whose scale and limits "
                "were not checked; a TMP117 was configured"
            )
        if found != ID:
            raise WrongDevice(
                f"expected a TMP117 (id 0x0117), found id 0x{found:04x} where {self._where} should "
                "be; check the address and what is soldered there"
            )
