"""Texas Instruments INA226: voltage, current and power of a DC supply over I2C, 16 bits.

Datasheet: Texas Instruments SBOS547B: configuration §7.6.1 (tables 4 to 9), shunt voltage §7.6.2
(2.5 µV), bus voltage §7.6.3 (1.25 mV, never negative), mask/enable §7.6.7 (conversion ready; a
read clears it), identities §7.6.9 and §7.6.10, addresses table 2. Scales and identities agree with
Linux's ina2xx driver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from drivers.ina2xx import (
    REG_BUS,
    REG_CONFIG,
    REG_SHUNT,
    RESET,
    Address,
    Monitor,
    Scale,
    Shunt,
)
from edgenode.bus import I2CDevice
from edgenode.bus.words import Words, signed
from edgenode.driver import Found, Grade, Options
from edgenode.errors import BadFrame, WrongDevice
from edgenode.reading import Channel, Sample

REG_MASK: Final = 0x06
REG_MANUFACTURER: Final = 0xFE
REG_DIE: Final = 0xFF
MANUFACTURER: Final = 0x5449  # "TI"
DIE: Final = 0x226
DIE_AT: Final = 4  # above the revision

RESERVED: Final = 0x4000  # how the four highest bits read
CONTINUOUS: Final = 0x0007  # shunt and bus, without a pause
OF_1_1_MS: Final = 0x0120  # the time of each conversion, of bus and shunt
AVERAGING_AT: Final = 9
AVERAGES: Final = {1: 0, 4: 1, 16: 2, 64: 3, 128: 4, 256: 5}
SAMPLE_S: Final = 0.00121  # of each voltage, at the longest (1.1 ms as a rule)

SHUNT_V: Final = 2.5e-6
BUS_V: Final = 1.25e-3
MOST: Final = 0x7FFF
NEVER: Final = 0x8000  # of the bus voltage
CONVERSION_READY: Final = 0x0008
SCALE: Final = Scale(SHUNT_V, BUS_V, MOST, MOST)
BUS_MOST_V: Final = 36  # that the part stands


class INA226Options(Options, frozen=True):
    """What an installer may choose."""

    address: Address = 0x40
    shunt_ohm: Shunt = 0.1
    averages: Annotated[
        Literal[1, 4, 16, 64, 128, 256],
        Meta(
            title="measurements a value: more are quieter; 2.2 ms each",
            description="1, 4, 16 ... 256",
        ),
    ] = 64


def configuration(options: INA226Options) -> int:
    """Return the word that sets the part up for these options."""
    return RESERVED | AVERAGES[options.averages] << AVERAGING_AT | OF_1_1_MS | CONTINUOUS


def decode(shunt: int, bus: int, options: INA226Options) -> Sample:
    """Turn the registers of shunt and bus into V, A and W; raises BadFrame."""
    return SCALE.decode(signed(shunt), positive(bus), options.shunt_ohm)


def positive(bus: int) -> int:
    """Return the count of the bus voltage, whose highest bit is always 0; raises BadFrame."""
    if bus & NEVER:
        raise BadFrame(f"INA226: a bus voltage of 0x{bus:04x} cannot be; check the wiring")
    return bus


class INA226(Monitor):
    """One chip at either side of a supply or a battery."""

    model: ClassVar[str] = "INA226"
    options: ClassVar[type[Options]] = INA226Options
    channels: ClassVar[tuple[Channel, ...]] = SCALE.channels(0.1, BUS_MOST_V)
    grade: ClassVar[Grade] = "oracle"

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        return SCALE.channels(options.shunt_ohm, BUS_MOST_V)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by the ids of its maker and its die."""
        del sleep
        words = Words(wire, cls.model)
        if words.get(REG_CONFIG) & 0xF000 != RESERVED:
            return None  # such as an HTU21D, to which 0xfe is the order to reset itself
        if words.get(REG_MANUFACTURER) != MANUFACTURER or words.get(REG_DIE) >> DIE_AT != DIE:
            return None
        return Found("INA226")

    def _plan(self, options: INA226Options) -> tuple[int, float]:
        return configuration(options), 2 * options.averages * SAMPLE_S

    def _prove_identity(self) -> None:
        maker, die = self._words.get(REG_MANUFACTURER), self._words.get(REG_DIE)
        if maker != MANUFACTURER or die >> DIE_AT != DIE:
            raise WrongDevice(
                f"{self._where}: its ids read 0x{maker:04x} and 0x{die:04x}, those of an INA226 "
                "0x5449 and 0x2260; check the address and what is soldered there"
            )
        self._words.put(REG_CONFIG, RESET)  # what an earlier program set up must not matter

    def _newest(self) -> Sample | None:
        if not self._words.get(REG_MASK) & CONVERSION_READY:  # reading it clears the flag
            return None
        return decode(self._words.get(REG_SHUNT), self._words.get(REG_BUS), self._options)
