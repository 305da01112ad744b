"""A PZEM-004T v3 as a Modbus slave: what Peacefair's manual (§2.3) says it answers."""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.slave import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_INPUT,
    ModbusSlave,
)
from edgenode.virtual.truth import Truth

REGISTERS: Final = 10
GENERAL: Final = 0xF8  # any single part answers to it
SEED: Final = 4  # garbage is random but the same every time


class Pzem004tSpec(Table, frozen=True, tag_field="kind", tag="pzem004t"):
    """[[instrument]] kind = "pzem004t": a load, one row of its series each `every_ms`.

    The energy grows by the power of each row, from `energy_from` kWh on.
    """

    sensor: str
    bus: str = "meters"
    address: Annotated[int, Meta(ge=1, le=247)] = 1
    every_ms: Period = 1000
    voltage: Play = Play("utility_power:U", decimals=1)
    current: Play = Play("utility_power:I", decimals=3)
    power: Play = Play("utility_power:P", gain=1000, decimals=1)
    frequency: Play = Play(offset=60.0)
    energy_from: float = 100.0


class VirtualPZEM004T(ModbusSlave):
    """One part that plays a load; logs what it was asked for."""

    quantities: ClassVar = (
        "voltage",
        "current",
        "power",
        "import_energy",
        "frequency",
        "power_factor",
    )

    def __init__(self, spec: Pzem004tSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self._metered = 0
        self._watt_hours = spec.energy_from * 1000

    def is_addressed(self, address: int) -> bool:
        """Whether a request is to its own address or to the general one."""
        return address in {self.spec.address, GENERAL}

    def refusal(self, function: int, first: int, count: int) -> int:
        """Return the exception code that a request earns; 0 for none."""
        if function != READ_INPUT:
            return ILLEGAL_FUNCTION
        return 0 if count > 0 and first + count <= REGISTERS else ILLEGAL_ADDRESS

    def registers(self, function: int, first: int, count: int, now_ns: int) -> bytes:
        """Return the bytes of the registers; all of them are logged."""
        del function  # there are input registers only
        row = self._row(now_ns)
        self._meter(row)
        volts, watts = self.spec.voltage.value(row), max(0.0, self.spec.power.value(row))
        amps = max(0.0, self.spec.current.value(row))
        apparent = volts * amps
        factor = min(1.0, watts / apparent) if apparent else 1.0
        hertz, kwh = self.spec.frequency.value(row), int(self._watt_hours) / 1000
        self._log((volts, amps, watts, kwh, hertz, round(factor, 2)), now_ns, self._fate)
        memory = struct.pack(">H", round(volts * 10))
        for value in (round(amps * 1000), round(watts * 10), int(self._watt_hours)):
            high, low = divmod(value, 1 << 16)
            memory += struct.pack(">HH", low, high)
        memory += struct.pack(">HHH", round(hertz * 10), round(factor * 100), 0)
        return memory[2 * first : 2 * (first + count)]

    def _meter(self, row: int) -> None:
        """Count the energy of every row that has ended."""
        hours = self.spec.every_ms / 3_600_000
        while self._metered < row:
            self._watt_hours += max(0.0, self.spec.power.value(self._metered)) * hours
            self._metered += 1
