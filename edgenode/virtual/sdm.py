"""An Eastron SDM meter as a Modbus slave: what its protocol documents say it answers.

Frames by silence, function 04 with at most 80 registers in pairs, exceptions 1 to 3, silence for
what is damaged or meant for others. Several stand on one cable, each at its address.
"""

from __future__ import annotations

import math
import struct
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.slave import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_INPUT,
    ModbusSlave,
)
from edgenode.virtual.truth import Truth

ASKED_MOST: Final = 80
REGISTERS_END: Final = 0x0180  # behind the last that the documents name
SEED: Final = 630  # garbage is random but the same every time

SINGLE_PHASE: Final = {
    "voltage": 0x00,
    "current": 0x06,
    "power": 0x0C,
    "apparent_power": 0x12,
    "reactive_power": 0x18,
    "power_factor": 0x1E,
    "frequency": 0x46,
    "import_energy": 0x48,
    "export_energy": 0x4A,
}
THREE_PHASE: Final = {
    **{
        f"{name}_l{n + 1}": first + 2 * n
        for name, first in SINGLE_PHASE.items()
        if first < 0x20
        for n in range(3)
    },
    "power": 0x34,
    "apparent_power": 0x38,
    "reactive_power": 0x3C,
    "power_factor": 0x3E,
    "frequency": 0x46,
    "import_energy": 0x48,
    "export_energy": 0x4A,
}
MAPS: Final = {"sdm120": SINGLE_PHASE, "sdm230": SINGLE_PHASE, "sdm630": THREE_PHASE}


class SdmSpec(Table, frozen=True, tag_field="kind", tag="sdm"):
    """[[instrument]] kind = "sdm": a load, one row of its series each `every_ms`.

    Phase n of a sdm630 plays n rows ahead. The energies grow by the value of each row, in kWh.
    """

    sensor: str
    bus: str = "meters"
    address: Annotated[int, Meta(ge=1, le=247)] = 1
    model: Literal["sdm120", "sdm230", "sdm630"] = "sdm230"
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400] = 9600
    parity: Literal["none", "even", "odd"] = "none"
    every_ms: Period = 1000
    voltage: Play = Play("utility_power:U", decimals=2)
    current: Play = Play("utility_power:I", decimals=2)
    power: Play = Play("utility_power:P", gain=1000, decimals=1)
    reactive_power: Play = Play("utility_power:Q", gain=1000, decimals=1)
    frequency: Play = Play(offset=50.0)
    import_from: float = 1000.0
    import_energy: Play = Play("utility_power:E_counter", gain=0.001, cumulative=True)
    export_from: float = 0.0
    export_energy: Play = Play(offset=0.0)


class VirtualSDM(ModbusSlave):
    """One meter that plays a load; logs each quantity that it was asked for."""

    def __init__(self, spec: SdmSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self._map = MAPS[spec.model]
        self._metered = 0  # rows whose energy is counted
        self._imported, self._exported = spec.import_from, spec.export_from

    def refusal(self, function: int, first: int, count: int) -> int:
        """Return the exception code that a request earns; 0 for none."""
        if function != READ_INPUT:
            return ILLEGAL_FUNCTION
        if not 0 < count <= ASKED_MOST:
            return ILLEGAL_VALUE
        if first % 2 or count % 2 or first + count > REGISTERS_END:
            return ILLEGAL_ADDRESS
        return 0

    def registers(self, function: int, first: int, count: int, now_ns: int) -> bytes:
        """Return the bytes of the registers, logging the quantities that lie in them whole."""
        del function  # there are input registers only
        memory = bytearray(2 * REGISTERS_END)
        values = self._values(now_ns)
        for name, register in self._map.items():
            struct.pack_into(">f", memory, 2 * register, values[name])
            if first <= register and register + 2 <= first + count:
                (said,) = struct.unpack_from(">f", memory, 2 * register)
                self._note(name, said, now_ns, self._fate)
        return bytes(memory[2 * first : 2 * (first + count)])

    def _values(self, now_ns: int) -> dict[str, float]:
        row = self._row(now_ns)
        self._meter(row)
        rest = {
            "frequency": self.spec.frequency.value(row),
            "import_energy": self._imported,
            "export_energy": self._exported,
        }
        if self._map is SINGLE_PHASE:
            return {**self._phase(row), **rest}
        phases = [self._phase(row + n) for n in range(3)]
        whole = _load(
            sum(phase["power"] for phase in phases),
            sum(phase["reactive_power"] for phase in phases),
        )
        each = {f"{name}_l{n}": v for n, of in enumerate(phases, 1) for name, v in of.items()}
        return {**each, **whole, **rest}

    def _phase(self, row: int) -> dict[str, float]:
        spec = self.spec
        load = _load(spec.power.value(row), spec.reactive_power.value(row))
        return {"voltage": spec.voltage.value(row), "current": spec.current.value(row), **load}

    def _meter(self, row: int) -> None:
        """Count the energy of every row that has ended; a meter never counts back."""
        while self._metered < row:
            self._imported += max(0.0, self.spec.import_energy.value(self._metered))
            self._exported += max(0.0, self.spec.export_energy.value(self._metered))
            self._metered += 1


def _load(power: float, reactive: float) -> dict[str, float]:
    apparent = math.hypot(power, reactive)
    return {
        "power": power,
        "apparent_power": apparent,
        "reactive_power": reactive,
        "power_factor": power / apparent if apparent else 1.0,
    }
