"""Any Modbus slave: registers that play series, by a table of where each value stands."""

from __future__ import annotations

import struct
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.slave import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    ModbusSlave,
)
from edgenode.virtual.truth import Truth

FUNCTIONS: Final = {"holding": READ_HOLDING, "input": READ_INPUT}
CODES: Final = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "f32": ">f"}
SEED: Final = 247  # garbage is random but the same every time


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[instrument.cells]]: a value, its place, and what it plays (as it stands there)."""

    quantity: str
    register: Annotated[int, Meta(ge=0, le=0xFFFE)]
    play: Play
    type: Literal["u16", "s16", "u32", "s32", "f32"] = "u16"
    table: Literal["input", "holding"] = "input"
    low_word_first: bool = False


class ModbusSpec(Table, frozen=True, tag_field="kind", tag="modbus"):
    """[[instrument]] kind = "modbus": a part with these registers and no others."""

    sensor: str
    cells: Annotated[tuple[Cell, ...], Meta(min_length=1, max_length=64)]
    bus: str = "meters"
    address: Annotated[int, Meta(ge=1, le=247)] = 1
    every_ms: Period = 1000
    most: Annotated[int, Meta(ge=1, le=125)] = 64  # registers that it gives in one answer


class VirtualModbus(ModbusSlave):
    """One part; logs each value that it was asked for whole. What lies between reads 0."""

    def __init__(self, spec: ModbusSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self._ends = {
            FUNCTIONS[table]: max(
                (cell.register + _words(cell) for cell in spec.cells if cell.table == table),
                default=0,
            )
            for table in FUNCTIONS
        }

    def refusal(self, function: int, first: int, count: int) -> int:
        """Return the exception code that a request earns; 0 for none."""
        if function not in self._ends:
            return ILLEGAL_FUNCTION
        if not 0 < count <= self.spec.most:
            return ILLEGAL_VALUE
        return ILLEGAL_ADDRESS if first + count > self._ends[function] else 0

    def registers(self, function: int, first: int, count: int, now_ns: int) -> bytes:
        """Return the bytes of the registers, logging the values that lie in them whole."""
        memory = bytearray(2 * self._ends[function])
        row = self._row(now_ns)
        for cell in self.spec.cells:
            if FUNCTIONS[cell.table] != function:
                continue
            value = cell.play.value(row)
            raw = struct.pack(CODES[cell.type], value if cell.type == "f32" else round(value))
            if cell.low_word_first:
                raw = b"".join(raw[at : at + 2] for at in range(len(raw) - 2, -1, -2))
            memory[2 * cell.register : 2 * cell.register + len(raw)] = raw
            if first <= cell.register and cell.register + _words(cell) <= first + count:
                self._note(cell.quantity, value, now_ns, self._fate)
        return bytes(memory[2 * first : 2 * (first + count)])


def _words(cell: Cell) -> int:
    return struct.calcsize(CODES[cell.type]) // 2
