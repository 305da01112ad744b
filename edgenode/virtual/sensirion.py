"""What Sensirion's sensors that take commands have in common, from the chip's side.

A command and its arguments come in one write, each word of the arguments with its CRC-8; the
answer is read with a transaction of its own, once. Whoever is spoken to while it works does not
acknowledge, nor where it does not know the command or an argument's checksum is wrong.
"""

from __future__ import annotations

import errno
from abc import abstractmethod
from typing import Any, ClassVar

from edgenode.virtual.conduct import Refused
from edgenode.virtual.kinds import Fate
from edgenode.virtual.playing import Chip
from edgenode.virtual.truth import Truth


def checked(data: bytes) -> bytes:
    """Put the CRC-8 behind each pair of bytes, by long division of the polynomial 0x131."""
    out = b""
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        rest = (int.from_bytes(pair, "big") ^ 0xFF00) << 8  # initial 0xFF: the first byte inverted
        for shift in range(15, -1, -1):
            if rest >> (shift + 8) & 1:
                rest ^= 0x131 << shift
        out += pair + bytes((rest,))
    return out


class Commanded(Chip):
    """A chip that takes commands of `width` bytes; `_obey` says what each does."""

    width: ClassVar[int] = 2

    def __init__(self, spec: Any, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._busy_ns = start_ns
        self._answer = b""
        self._told: tuple[float, ...] | None = None  # the measurement that the answer is about

    @abstractmethod
    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        """Do what the command asks for: `_work`, then `_say` or `_say_text`; else `_refuse`."""

    def _work(self, seconds: float, now_ns: int) -> None:
        """Be busy for so long."""
        self._busy_ns = now_ns + int(seconds * 1e9)

    def _say(self, *words: int) -> None:
        """Have these words for whoever reads."""
        self._answer = checked(b"".join(word.to_bytes(2, "big") for word in words))

    def _say_text(self, text: str, length: int) -> None:
        """Have a text of `length` bytes for whoever reads, filled up with zeros."""
        self._answer = checked(text.encode("ascii").ljust(length, b"\0"))

    def _refuse(self) -> None:
        raise Refused(errno.ENXIO)

    def _written(self, data: bytes, now_ns: int) -> None:
        if now_ns < self._busy_ns:
            self._refuse()
        if not data:
            return  # an empty write only asks whether anybody is there
        command, rest = data[: self.width], data[self.width :]
        arguments = [int.from_bytes(rest[at : at + 2], "big") for at in range(0, len(rest), 3)]
        sound = b"".join(argument.to_bytes(2, "big") for argument in arguments)
        if len(command) < self.width or rest != checked(sound):
            self._refuse()
        self._answer, self._told = b"", None
        self._obey(int.from_bytes(command, "big"), arguments, now_ns)

    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        if now_ns < self._busy_ns or not self._answer:
            self._refuse()
        answer, self._answer = self._answer, b""
        if self._told is not None:
            self._log(self._told, now_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(length)
        return answer[:length].ljust(length, b"\xff")  # nobody pulls the line down behind the end
