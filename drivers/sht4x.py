"""Sensirion SHT40, SHT41, SHT45: air temperature and relative humidity over I2C.

Datasheet: Sensirion SHT4x: timing §3.2 (table 4), commands §4.5 (table 8), conversion §4.6, CRC
§4.4, serial number §4.7, reset §4.8, heater §4.9. Conversion, CRC and the refusal to answer while
measuring agree with Linux's sht4x driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.sht import Hygrometer, Precision
from edgenode.driver import Options
from edgenode.reading import Quality, Sample

# Commands without the heater, and the longest each may take (table 4: 8.3, 4.5 and 1.6 ms).
MEASURE: Final[dict[Precision, tuple[int, float]]] = {
    "high": (0xFD, 0.009),
    "medium": (0xF6, 0.005),
    "low": (0xE0, 0.002),
}
READ_SERIAL: Final = 0x89
SOFT_RESET: Final = 0x94


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


class SHT4x(Hygrometer):
    """One chip, whose commands are single bytes."""

    model: ClassVar[str] = "SHT4x"
    options: ClassVar[type[Options]] = SHT4xOptions
    fastest_s: ClassVar[float] = 0.05  # measured more often, the part warms itself
    addresses: ClassVar[tuple[int, ...]] = (0x44, 0x45, 0x46)
    width: ClassVar[int] = 1
    serial: ClassVar[int] = READ_SERIAL
    resets: ClassVar[tuple[int, ...]] = (SOFT_RESET,)
    measure: ClassVar[Mapping[Precision, tuple[int, float]]] = MEASURE

    def _sample(self, raw_t: int, raw_rh: int) -> Sample:
        return decode(raw_t, raw_rh)
