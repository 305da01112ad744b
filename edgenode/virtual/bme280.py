"""A BME280 as a register file: what Bosch BST-BME280-DS002 §5 says the chip answers."""

from __future__ import annotations

import struct
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.bosch import VirtualBosch
from edgenode.virtual.counts import EXAMPLE, Counts, Trim, counts
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

MEASURING_NS: Final = 9_300_000  # §9.1, every oversampling at x1
COPYING_NS: Final = 1_000_000  # calibration out of its memory, after power-on and reset


class Bme280Spec(Table, frozen=True, tag_field="kind", tag="bme280"):
    """[[instrument]] kind = "bme280": °C, %RH and Pa, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x76, le=0x77)] = 0x76
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    pressure: Play = Play("utility_power:U", gain=100, offset=78_000, decimals=0)


class VirtualBME280(VirtualBosch):
    """One chip that plays weather; misbehaves on command and logs what it answered."""

    quantities: ClassVar[tuple[str, ...]] = ("temperature", "humidity", "pressure")
    measuring_ns: ClassVar[int] = MEASURING_NS
    controls: ClassVar[frozenset[int]] = frozenset({0xF2, 0xF4, 0xF5})
    mode: ClassVar[int] = 0xF4
    forced: ClassVar[tuple[int, ...]] = (1, 2)
    results: ClassVar[int] = 0xF7
    nothing: ClassVar[bytes] = bytes.fromhex("8000008000008000")

    def __init__(self, spec: Any, truth: Truth, start_ns: int, trim: Trim = EXAMPLE) -> None:
        super().__init__(spec, truth, start_ns, trim)

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self._copied_ns = now_ns + COPYING_NS
        self._humidity_on = False

    def _burnt_in(self) -> dict[int, bytes]:
        low, high = _calibration(self._trim)
        return {0xD0: b"\x60", 0x88: low, 0xE1: high}

    def _begin(self) -> int:
        self._humidity_on = bool(self._memory[0xF2] & 0x07)  # §5.4.3: only now
        return self.measuring_ns

    def _settle(self, now_ns: int) -> None:
        """Finish what had time to finish; the status register tells of the rest."""
        super()._settle(now_ns)
        measuring = self._done_ns is not None
        self._memory[0xF3] = measuring << 3 | (now_ns < self._copied_ns)

    def _measured(self, values: tuple[float, ...]) -> bytes:
        celsius, percent, pascal = values
        raw = counts(celsius, percent, pascal, self._trim)
        humidity = raw.humidity if self._humidity_on else 0x8000
        return pressure_and_temperature(raw, self._memory[0xF4]) + humidity.to_bytes(2, "big")


def pressure_and_temperature(raw: Counts, control: int) -> bytes:
    """Lay out 0xF7..0xFC; what 0xF4 switched off is marked as skipped (§5.4.5)."""
    p = raw.pressure if control >> 2 & 7 else 0x80000
    t = raw.temperature if control >> 5 else 0x80000
    return (p << 4).to_bytes(3, "big") + (t << 4).to_bytes(3, "big")


def _calibration(c: Trim) -> tuple[bytes, bytes]:
    """Lay the trim out as at 0x88..0xA1 and 0xE1..0xE7 (§4.2.2)."""
    low = struct.pack("<Hhh Hhhhhhhhh xB", *c[:12], c.h1)
    shared = c.h4 & 0x0F | (c.h5 & 0x0F) << 4
    return low, struct.pack("<hBbBbb", c.h2, c.h3, c.h4 >> 4, shared, c.h5 >> 4, c.h6)
