"""A BMP280 as a register file: what Bosch BST-BMP280-DS001 §4 says the chip answers."""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.bme280 import VirtualBME280, pressure_and_temperature
from edgenode.virtual.counts import counts
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play

MEASURING_NS: Final = 6_400_000  # §3.8.1, both oversamplings at x1


class Bmp280Spec(Table, frozen=True, tag_field="kind", tag="bmp280"):
    """[[instrument]] kind = "bmp280": °C and Pa, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x76, le=0x77)] = 0x76
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    pressure: Play = Play("utility_power:U", gain=100, offset=78_000, decimals=0)
    chip_id: Annotated[int, Meta(ge=0x56, le=0x58)] = 0x58


class VirtualBMP280(VirtualBME280):
    """The BME280's elder: no humidity, and nothing of it in the register file."""

    quantities: ClassVar[tuple[str, ...]] = ("temperature", "pressure")
    measuring_ns: ClassVar[int] = MEASURING_NS
    controls: ClassVar[frozenset[int]] = frozenset({0xF4, 0xF5})
    nothing: ClassVar[bytes] = bytes.fromhex("800000800000")

    def _burnt_in(self) -> dict[int, bytes]:
        chip_id = bytes((self.spec.chip_id,))
        return {0xD0: chip_id, 0x88: struct.pack("<Hhh Hhhhhhhhh", *self._trim[:12])}

    def _measured(self, values: tuple[float, ...]) -> bytes:
        celsius, pascal = values
        raw = counts(celsius, 0.0, pascal, self._trim)
        return pressure_and_temperature(raw, self._memory[0xF4])
