"""Chips of 16-bit registers behind a pointer, high byte first, which two bytes at once set."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from edgenode.virtual.kinds import Fate
from edgenode.virtual.playing import Chip
from edgenode.virtual.truth import Truth


class RegisterChip(Chip):
    """One chip that answers with the register at its pointer."""

    def __init__(self, spec: Any, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._pointer = 0
        self._power_up(start_ns)

    def _written(self, data: bytes, now_ns: int) -> None:
        """Set the pointer, and the register that it points at where a word follows."""
        if data:
            self._pointer = data[0]
        if len(data) >= 3:
            self._put(self._pointer, int.from_bytes(data[1:3], "big"), now_ns)

    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        word = self._get(self._pointer, now_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(length)
        return word.to_bytes(2, "big")[:length].ljust(length, b"\xff")

    @abstractmethod
    def _put(self, register: int, word: int, now_ns: int) -> None:
        """Take a word for a register."""

    @abstractmethod
    def _get(self, register: int, now_ns: int, fate: Fate) -> int:
        """Return a register."""
