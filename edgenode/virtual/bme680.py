"""A BME680 or BME688 as a register file: what Bosch BST-BME680-DS001 §5 says the chip answers."""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.bosch import VirtualBosch
from edgenode.virtual.counts680 import EXAMPLE680, Counts680, Trim680, counts680, plate_celsius
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

CYCLE_NS: Final = 1_963_000  # of each oversampling
SWITCHING_NS: Final = 9 * 477_000  # between temperature, pressure, humidity and gas
TIMES: Final = (0, 1, 2, 4, 8, 16, 16, 16)  # oversampling by its three bits
FASTEST_HEATING_MS: Final = 20  # until the plate is where it was to go (§3.3.1)
PLATE: Final = (190.0, 410.0)  # °C that it can be heated to


class Bme680Spec(Table, frozen=True, tag_field="kind", tag="bme680"):
    """[[instrument]] kind = "bme680": °C, %RH, Pa and Ohm, a row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x76, le=0x77)] = 0x76
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    pressure: Play = Play("utility_power:U", gain=100, offset=78_000, decimals=0)
    gas_resistance: Play = Play("air_uci:CO_GT", gain=-8_000, offset=120_000, decimals=0)
    model: Literal["bme680", "bme688"] = "bme680"


class VirtualBME680(VirtualBosch):
    """One chip that plays air; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("temperature", "humidity", "pressure", "gas_resistance")
    controls: ClassVar = frozenset({*range(0x5A, 0x6E), *range(0x70, 0x73), 0x74, 0x75})
    mode: ClassVar = 0x74
    forced: ClassVar = (1,)
    results: ClassVar = 0x1D
    nothing: ClassVar = bytes.fromhex("0000 800000 800000 8000 000000 0000 0000")

    def __init__(
        self, spec: Bme680Spec, truth: Truth, start_ns: int, trim: Trim680 = EXAMPLE680
    ) -> None:
        self._variant = int(spec.model == "bme688")
        super().__init__(spec, truth, start_ns, trim)

    def _burnt_in(self) -> dict[int, bytes]:
        identity = {0xD0: b"\x61", 0xF0: bytes((self._variant,))}
        return {**_calibration(self._trim), **identity}

    def _begin(self) -> int:
        self._memory[0x1D] = 0x20
        control = self._memory[0x74]
        cycles = sum(TIMES[bits & 7] for bits in (control >> 5, control >> 2, self._memory[0x72]))
        heating_ms = self._heating_ms if self._gas_on else 0
        return cycles * CYCLE_NS + SWITCHING_NS + heating_ms * 1_000_000

    @property
    def _gas_on(self) -> bool:
        """Whether a gas conversion is asked for: another bit in each variant."""
        return bool(self._memory[0x71] & (0x20 if self._variant else 0x10))

    @property
    def _heating_ms(self) -> int:
        """Of the heater set point that 0x71 chooses."""
        wait = self._memory[0x64 + (self._memory[0x71] & 0x0F) % 10]
        steps: int = (wait & 0x3F) << 2 * (wait >> 6)
        return steps

    def _measured(self, values: tuple[float, ...]) -> bytes:
        celsius, percent, pascal, ohm = values
        raw = counts680(celsius, percent, pascal, ohm, self._variant, self._trim)
        return b"\x80\x00" + self._weather(raw) + self._gas(raw)

    def _weather(self, raw: Counts680) -> bytes:
        """Lay out 0x1F..0x26; what is switched off is marked as skipped."""
        control = self._memory[0x74]
        p = raw.pressure if control >> 2 & 7 else 0x80000
        t = raw.temperature if control >> 5 else 0x80000
        h = raw.humidity if self._memory[0x72] & 7 else 0x8000
        return (p << 4).to_bytes(3, "big") + (t << 4).to_bytes(3, "big") + h.to_bytes(2, "big")

    def _gas(self, raw: Counts680) -> bytes:
        """Lay out 0x27..0x2D: the two bytes of a BME688 stand behind those of a BME680."""
        if not self._gas_on:
            return bytes(7)
        result = raw.gas << 6 | 0x20 | self._plate_is_hot() << 4 | raw.gas_range
        before = 5 if self._variant else 3
        return bytes(before) + result.to_bytes(2, "big") + bytes(5 - before)

    def _plate_is_hot(self) -> bool:
        setting = self._memory[0x5A + (self._memory[0x71] & 0x0F) % 10]
        low, high = PLATE
        reached = low <= plate_celsius(setting, 25.0, self._trim) <= high
        on = not self._memory[0x70] & 0x08
        return on and reached and self._heating_ms >= FASTEST_HEATING_MS


def _calibration(c: Trim680) -> dict[int, bytes]:
    """Lay the trim out as at 0x8A..0xA0, 0xE1..0xEE and 0x00..0x04 (§3.3, tables)."""
    shared = c.h2 << 4 & 0xF0 | c.h1 & 0x0F
    return {
        0x00: struct.pack("b", c.heat_value),
        0x02: bytes((c.heat_range << 4,)),
        0x04: struct.pack("b", c.range_error << 4),
        0x8A: struct.pack("<hb", c.t2, c.t3),
        0x8E: struct.pack("<Hhb", c.p1, c.p2, c.p3),
        0x94: struct.pack("<hhbb", c.p4, c.p5, c.p7, c.p6),
        0x9C: struct.pack("<hhB", c.p8, c.p9, c.p10),
        0xE1: bytes((c.h2 >> 4, shared, c.h1 >> 4)),
        0xE4: struct.pack("bbbBb", c.h3, c.h4, c.h5, c.h6, c.h7),
        0xE9: struct.pack("<Hhbb", c.t1, c.g2, c.g1, c.g3),
    }
