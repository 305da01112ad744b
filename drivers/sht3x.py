"""Sensirion SHT30, SHT31, SHT35 and SHT85: air temperature and relative humidity over I2C.

Datasheet: Sensirion SHT3x-DIS version 7 (December 2022): timing §2.2 (table 4), single shot §4.3
(table 9), break §4.8, soft reset §4.9 (table 14), conversion §4.13. The serial number is that of
Sensirion's note "Electronic identification code SHT3x". Commands and conversion agree with
Adafruit's and Sensirion's drivers, the command of the serial number with ESPHome's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.sht import Hygrometer, Precision
from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import answers_unasked
from edgenode.driver import Found, Options
from edgenode.reading import Sample

# Commands without clock stretching, and the longest each may take (15.5, 6.5 and 4.5 ms at 2.4 V).
MEASURE: Final[dict[Precision, tuple[int, float]]] = {
    "high": (0x2400, 0.016),
    "medium": (0x240B, 0.007),
    "low": (0x2416, 0.005),
}
BREAK: Final = 0x3093  # ends a periodic measurement, in which it obeys no reset
SOFT_RESET: Final = 0x30A2  # also ends heating
SERIAL: Final = 0x3682


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


class SHT3x(Hygrometer):
    """One chip, which can also measure by itself but is not asked to."""

    model: ClassVar[str] = "SHT3x"
    options: ClassVar[type[Options]] = SHT3xOptions
    fastest_s: ClassVar[float] = 0.1  # measured more often, the part warms itself
    addresses: ClassVar[tuple[int, ...]] = (0x44, 0x45)
    serial: ClassVar[int] = SERIAL
    resets: ClassVar[tuple[int, ...]] = (BREAK, SOFT_RESET)
    measure: ClassVar[Mapping[Precision, tuple[int, float]]] = MEASURE

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its serial number, unless registers answer, which a command writes."""
        return None if answers_unasked(wire) else super().identify(wire, sleep)

    def _sample(self, raw_t: int, raw_rh: int) -> Sample:
        return decode(raw_t, raw_rh)
