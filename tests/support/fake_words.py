"""A chip of 16-bit registers that hold what they are given, and stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.errors import BusError


class FakeWords:
    """Stands where an adapter of edgenode.bus stands; `writes` are words by register.

    `after_reset` replaces a word with the highest bit that is written to register 0.
    """

    def __init__(self, registers: Mapping[int, int], after_reset: int | None = None) -> None:
        self.registers = dict(registers)
        self.after_reset = after_reset
        self.writes: list[tuple[int, int]] = []
        self.reads: list[int] = []
        self.broken: str | None = None
        self.closed = 0

    def read(self, register: int, length: int) -> bytes:
        if self.broken:
            raise BusError(f"fake: {self.broken}")
        self.reads.append(register)
        return self.registers.get(register, 0xFFFF).to_bytes(length, "big")

    def write(self, register: int, data: bytes) -> None:
        if self.broken:
            raise BusError(f"fake: {self.broken}")
        word = int.from_bytes(data, "big")
        self.writes.append((register, word))
        if register == 0 and word & 0x8000 and self.after_reset is not None:
            word = self.after_reset
        self.registers[register] = word

    def transfer(self, data: bytes, length: int) -> bytes:
        if len(data) > 1:
            self.write(data[0], data[1:])
        return self.read(data[0], length) if length else b""

    def close(self) -> None:
        self.closed += 1
