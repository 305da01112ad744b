"""Texas Instruments INA219: voltage, current and power of a DC supply over I2C.

Datasheet: Texas Instruments SBOS448G: configuration §8.6.2.1 (figure 19, tables 4 to 6), shunt
voltage §8.6.3.1 (10 µV, stops at the range), bus voltage §8.6.3.2 (4 mV, conversion ready),
addresses table 1. Scales and flags agree with Linux's ina2xx driver and Adafruit's.

Without an id register the part is known by what its configuration holds after a reset.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from drivers.ina2xx import (
    REG_BUS,
    REG_CONFIG,
    REG_POWER,
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
from edgenode.errors import WrongDevice
from edgenode.reading import Channel, Sample

RESET_CONFIG: Final = 0x399F
INA226_RESET_CONFIG: Final = 0x4127
REG_CURRENT: Final = 0x04
REG_CALIBRATION: Final = 0x05

CONTINUOUS: Final = 0x0007  # shunt and bus, without a pause
OF_32_V: Final = 0x2000
GAIN_AT: Final = 11
BUS_ADC_AT: Final = 7
SHUNT_ADC_AT: Final = 3
GAINS: Final = {40: 0, 80: 1, 160: 2, 320: 3}  # mV of the range
AVERAGES: Final = {1: 0x3, 2: 0x9, 4: 0xA, 8: 0xB, 16: 0xC, 32: 0xD, 64: 0xE, 128: 0xF}
SAMPLE_S: Final = 0.000586  # of each voltage, at the longest (532 µs as a rule)

SHUNT_V: Final = 10e-6
COUNTS_PER_MV: Final = 100
BUS_V: Final = 4e-3
BUS_AT: Final = 3  # above the flags
CONVERSION_READY: Final = 0x0002


class INA219Options(Options, frozen=True):
    """What an installer may choose."""

    address: Address = 0x40
    shunt_ohm: Shunt = 0.1
    range_mv: Annotated[
        Literal[40, 80, 160, 320],
        Meta(title="the most across the shunt, in mV", description="40, 80, 160 or 320"),
    ] = 320
    bus_v: Annotated[
        Literal[16, 32], Meta(title="the most on the bus; the part stands 26 V", description="V")
    ] = 32
    averages: Annotated[
        Literal[1, 2, 4, 8, 16, 32, 64, 128],
        Meta(
            title="measurements a value: more are quieter; 1.1 ms each",
            description="1, 2, 4 ... 128",
        ),
    ] = 64


def configuration(options: INA219Options) -> int:
    """Return the word that sets the part up for these options."""
    adc = AVERAGES[options.averages]
    of_bus = OF_32_V if options.bus_v == 32 else 0
    gain = GAINS[options.range_mv] << GAIN_AT
    return of_bus | gain | adc << BUS_ADC_AT | adc << SHUNT_ADC_AT | CONTINUOUS


def scale(options: INA219Options) -> Scale:
    """Return what the counts mean: the shunt's register stops at its range, the bus's too."""
    bus_most = round(options.bus_v / BUS_V)
    return Scale(SHUNT_V, BUS_V, options.range_mv * COUNTS_PER_MV, bus_most)


def decode(shunt: int, bus: int, options: INA219Options) -> Sample:
    """Turn the registers of shunt and bus into V, A and W."""
    return scale(options).decode(signed(shunt), bus >> BUS_AT, options.shunt_ohm)


class INA219(Monitor):
    """One chip at the positive side of a supply or a battery."""

    model: ClassVar[str] = "INA219"
    options: ClassVar[type[Options]] = INA219Options
    channels: ClassVar[tuple[Channel, ...]] = scale(INA219Options()).channels(0.1, 26)
    grade: ClassVar[Grade] = "oracle"

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        return scale(options).channels(options.shunt_ohm, min(options.bus_v, 26))

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by a configuration that only it has, and by results that go with it.

        There is no id: what somebody has set up in another way is not recognised.
        """
        del sleep
        words = Words(wire, cls.model)
        if words.get(REG_CONFIG) not in KNOWN_CONFIGS:
            return None
        if words.get(REG_CALIBRATION) or words.get(REG_CURRENT) or words.get(REG_POWER):
            return None  # without a calibration the part computes nothing
        return Found("INA219, by its configuration")

    def _plan(self, options: INA219Options) -> tuple[int, float]:
        return configuration(options), 2 * options.averages * SAMPLE_S

    def _prove_identity(self) -> None:
        self._words.put(REG_CONFIG, RESET)
        found = self._words.get(REG_CONFIG)
        if found == INA226_RESET_CONFIG:
            raise WrongDevice(f'{self._where} is an INA226; write driver = "ina226"')
        if found != RESET_CONFIG:
            raise WrongDevice(
                f"{self._where}: its configuration reads 0x{found:04x} after a reset, that of an "
                "INA219 0x399f; check the address and what is soldered there"
            )

    def _newest(self) -> Sample | None:
        bus = self._words.get(REG_BUS)
        if not bus & CONVERSION_READY:
            return None
        shunt = self._words.get(REG_SHUNT)
        self._words.get(REG_POWER)  # clears the flag
        return decode(shunt, bus, self._options)


KNOWN_CONFIGS: Final = frozenset(
    {RESET_CONFIG}
    | {
        configuration(INA219Options(range_mv=most, bus_v=bus, averages=averages))
        for most in (40, 80, 160, 320)
        for bus in (16, 32)
        for averages in (1, 2, 4, 8, 16, 32, 64, 128)
    }
)
