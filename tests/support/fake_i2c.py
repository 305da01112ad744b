"""An I2C device that is 256 registers of memory, records what was written, and fails on demand."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.errors import BusError


class FakeI2C:
    """Stands where an adapter of edgenode.bus stands."""

    def __init__(self, registers: Mapping[int, bytes]) -> None:
        self.memory = bytearray(256)
        self.writes: list[tuple[int, bytes]] = []
        self.broken: str | None = None
        self.closed = 0
        for start, data in registers.items():
            self.memory[start : start + len(data)] = data

    def read(self, register: int, length: int) -> bytes:
        self._answer()
        return bytes(self.memory[register : register + length])

    def write(self, register: int, data: bytes) -> None:
        self._answer()
        self.writes.append((register, data))
        self.memory[register : register + len(data)] = data

    def transfer(self, data: bytes, length: int) -> bytes:
        if len(data) > 1:
            self.write(data[0], data[1:])
        return self.read(data[0] if data else 0x00, length) if length else b""

    def close(self) -> None:
        self.closed += 1

    def _answer(self) -> None:
        if self.broken:
            raise BusError(f"fake: {self.broken}")


class FakeBME280(FakeI2C):
    """The registers of one chip: forced measurements finish at once and go back to sleep."""

    def __init__(self, low: bytes, high: bytes, results: bytes) -> None:
        super().__init__({0xD0: b"\x60", 0x88: low, 0xE1: high, 0xF7: results})

    def write(self, register: int, data: bytes) -> None:
        super().write(register, data)
        if register == 0xF4:
            self.memory[0xF4] = data[0] & 0xFC
