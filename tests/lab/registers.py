"""A chip that is nothing but its registers: what a kernel driver reads over i2c-stub, for ours.

i2c-stub answers SMBus only; our drivers speak plain I2C. So the same image lies in both.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from edgenode.virtual.conduct import Refused
from edgenode.virtual.kinds import READ, Action, Message


class Image(NamedTuple):
    """The content of registers by their numbers, each of one byte, or of two (high byte first)."""

    registers: Mapping[int, int]


@dataclass
class RegisterChip:
    """An I2CInstrument over an image; what the image names, and only that, cannot be written.

    `forced` is what a register reads as whatever was written there: (and, or) masks for a
    measurement that is always over. Bytes are read one register after another, words alone.
    """

    width: int = 1
    forced: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    image: Mapping[int, int] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)
    pointer: int = 0

    def act(self, action: Action, now_ns: int) -> None:
        """It always behaves."""

    def load(self, image: Image) -> None:
        """Become another chip."""
        self.image, self.written = image.registers, {}

    def transact(self, messages: list[Message], now_ns: int) -> bytes:
        """Answer with registers from the pointer on; raises Refused for what is no register."""
        return b"".join(
            self._read(message.length) if message.flags & READ else self._write(message.data)
            for message in messages
        )

    def _read(self, length: int) -> bytes:
        if self.width == 1:
            return bytes(self._value(self.pointer + at) for at in range(length))
        return self._value(self.pointer).to_bytes(2, "big")[:length].ljust(length, b"\xff")

    def _write(self, data: bytes) -> bytes:
        if not data:
            return b""
        if len(data) > 1 and (len(data) - 1) % self.width:
            raise Refused(errno.ENXIO)
        self.pointer = data[0]
        if self.width == 2 and len(data) == 3:
            self.written[data[0]] = int.from_bytes(data[1:], "big")
        elif self.width == 1:
            for register, value in zip(data[::2], data[1::2], strict=False):
                self.written[register] = value
        return b""

    def _value(self, register: int) -> int:
        value = self.image.get(register, self.written.get(register, 0))
        keep, put = self.forced.get(register, (0xFFFF, 0))
        return value & keep | put
