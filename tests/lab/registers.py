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


@dataclass(frozen=True)
class Manners:
    """What a part does with what is written to it, as far as its driver cares.

    `masks`: (and, or) by register, for what reads otherwise than it was written, such as a
    measurement that is always over. `turns`: by register and word, what it reads after that word.
    """

    width: int = 1
    masks: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    turns: Mapping[tuple[int, int], int] = field(default_factory=dict)


class RegisterChip:
    """An I2CInstrument over an image; what the image names, and only that, cannot be written.

    Bytes are read one register after another, words alone.
    """

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._image: Mapping[int, int] = {}
        self._written: dict[int, int] = {}
        self._pointer = 0

    def act(self, action: Action, now_ns: int) -> None:
        """It always behaves."""

    def load(self, image: Image) -> None:
        """Measure something else; what was written to it stays."""
        self._image = image.registers

    def transact(self, messages: list[Message], now_ns: int) -> bytes:
        """Answer with registers from the pointer on; raises Refused for what is no register."""
        return b"".join(
            self._read(message.length) if message.flags & READ else self._write(message.data)
            for message in messages
        )

    def _read(self, length: int) -> bytes:
        if self._manners.width == 1:
            return bytes(self._value(self._pointer + at) for at in range(length))
        return self._value(self._pointer).to_bytes(2, "big")[:length].ljust(length, b"\xff")

    def _write(self, data: bytes) -> bytes:
        if not data:
            return b""
        self._pointer = data[0]
        if self._manners.width == 2 and len(data) == 3:
            self._put(data[0], int.from_bytes(data[1:], "big"))
        elif self._manners.width == 1:
            for register, value in zip(data[::2], data[1::2], strict=False):
                self._put(register, value)
        elif len(data) > 1:
            raise Refused(errno.ENXIO)
        return b""

    def _put(self, register: int, value: int) -> None:
        self._written[register] = self._manners.turns.get((register, value), value)

    def _value(self, register: int) -> int:
        value = self._image.get(register, self._written.get(register, 0))
        keep, put = self._manners.masks.get(register, (0xFFFF, 0))
        return value & keep | put
