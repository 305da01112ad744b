"""A chip of Bosch's as a register file: what BMP280, BME280 and BME680 have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from edgenode.virtual.kinds import Fate
from edgenode.virtual.playing import Chip
from edgenode.virtual.truth import Truth


class VirtualBosch(Chip):
    """One chip that measures when it is forced to, and sleeps in between."""

    controls: ClassVar[frozenset[int]]  # registers that can be written
    mode: ClassVar[int]  # the one whose two lowest bits begin a measurement
    forced: ClassVar[tuple[int, ...]]  # by these values of them
    results: ClassVar[int]  # where what was measured stands
    nothing: ClassVar[bytes]  # what stands there before

    def __init__(self, spec: Any, truth: Truth, start_ns: int, trim: Any) -> None:
        super().__init__(spec, truth, start_ns)
        self._trim = trim
        self._pointer = 0
        self._memory = bytearray(256)
        self._power_up(start_ns)

    def _power_up(self, now_ns: int) -> None:
        del now_ns
        self._memory[:] = bytes(256)
        for first, data in {**self._burnt_in(), self.results: self.nothing}.items():
            self._memory[first : first + len(data)] = data
        self._done_ns: int | None = None
        self._fresh: tuple[float, ...] | None = None  # measured, not yet read

    @abstractmethod
    def _burnt_in(self) -> dict[int, bytes]:
        """Return what no reset changes: identity and calibration, by their registers."""

    @abstractmethod
    def _begin(self) -> int:
        """Begin to measure as the chip is set; return the ns that it takes."""

    @abstractmethod
    def _measured(self, values: tuple[float, ...]) -> bytes:
        """Return what the registers of the results hold of these values."""

    def _written(self, data: bytes, now_ns: int) -> None:
        """Take registers and values in pairs; a lone byte sets where reading begins.

        BST-BME280-DS002 and BST-BME680-DS001 §6.2.1.
        """
        if len(data) == 1:
            self._pointer = data[0]
        for register, value in zip(data[::2], data[1::2], strict=False):
            if register == 0xE0 and value == 0xB6:
                self._power_up(now_ns)
            elif register in self.controls:
                self._memory[register] = value
            if register == self.mode and value & 0x03 in self.forced:
                self._done_ns = now_ns + self._begin()

    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        self._settle(now_ns)
        first, self._pointer = self._pointer, (self._pointer + length) & 0xFF
        data = bytes(self._memory[(first + i) & 0xFF] for i in range(length))
        end = self.results + len(self.nothing)
        if first <= self.results and first + length >= end and self._fresh:
            self._log(self._fresh, now_ns, fate)
            self._fresh = None
        return self._random.randbytes(length) if fate == "garbage" else data

    def _settle(self, now_ns: int) -> None:
        """Finish what had time to finish, and go back to sleep."""
        if self._done_ns is None or now_ns < self._done_ns:
            return
        self._done_ns = None
        self._fresh = self._values(now_ns)
        data = self._measured(self._fresh)
        self._memory[self.results : self.results + len(data)] = data
        self._memory[self.mode] &= 0xFC
