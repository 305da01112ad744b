"""Chips of 16-bit registers behind a pointer, as most of Texas Instruments' are, high byte first.

They have no checksum. What proves an answer is its company: a register that reads back what was
written is one of the chip that was set up, and of nothing that was reset, floats or stands there
instead.
"""

from __future__ import annotations

from typing import Final

from edgenode.bus.wires import I2CDevice
from edgenode.errors import BadFrame

WORD_BYTES: Final = 2


class Words:
    """The registers of one chip; `where` names it in errors. Calls may raise BusError."""

    def __init__(self, wire: I2CDevice, where: str) -> None:
        self._wire, self._where = wire, where

    def get(self, register: int) -> int:
        """Return a register, 0..65535."""
        return int.from_bytes(self._wire.read(register, WORD_BYTES), "big")

    def put(self, register: int, word: int) -> None:
        """Write a register."""
        self._wire.write(register, word.to_bytes(WORD_BYTES, "big"))

    def prove(self, register: int, expected: int, kept: int = 0xFFFF) -> int:
        """Return a register, whose `kept` bits are as they were written; else raise BadFrame."""
        found = self.get(register)
        if found & kept != expected:
            raise BadFrame(
                f"{self._where}: register 0x{register:02x} reads 0x{found & kept:04x}, not "
                f"0x{expected:04x}; was it reset, is its supply stable, or is another program "
                "using it?"
            )
        return found


def signed(word: int) -> int:
    """Return what 16 bits mean in two's complement."""
    return word - 0x1_0000 if word & 0x8000 else word
