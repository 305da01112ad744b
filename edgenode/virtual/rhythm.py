"""A chip of Sensirion's that measures by itself, once each period from its start on."""

from __future__ import annotations

import struct
from typing import Any

from edgenode.virtual.sensirion import Commanded
from edgenode.virtual.truth import Truth


def float_words(values: tuple[float, ...]) -> tuple[int, ...]:
    """Return numbers as the words of floats of 32 bits."""
    return struct.unpack(f">{2 * len(values)}H", struct.pack(f">{len(values)}f", *values))


def held(value: float) -> int:
    """Return a number as a word; what does not fit ends where words end."""
    return min(max(round(value), 0), 0xFFFF)


class Rhythmic(Commanded):
    """Measures by itself while it is told to; powers up idle."""

    def __init__(self, spec: Any, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._power_up(start_ns)

    def _power_up(self, now_ns: int) -> None:
        self._answer, self._told = b"", None
        self._busy_ns = now_ns
        self._stop()

    def _begin(self, now_ns: int, period_s: float) -> None:
        """Measure from now on."""
        self._since_ns: int | None = now_ns
        self._period_ns = int(period_s * 1e9)
        self._taken = 0  # the last measurement that was read, counted from 1

    def _stop(self) -> None:
        self._since_ns = None
        self._period_ns = 1
        self._taken = 0

    @property
    def _measuring(self) -> bool:
        return self._since_ns is not None

    def _ready(self, now_ns: int) -> bool:
        """Whether there is a measurement that nobody has read."""
        return self._newest(now_ns) > self._taken

    def _take(self, now_ns: int) -> tuple[float, ...] | None:
        """Return the newest measurement, read or not; None where there is none.

        It is about the moment in which it was ready.
        """
        newest = self._newest(now_ns)
        if not newest or self._since_ns is None:
            return None
        self._taken = newest
        return self._values(self._since_ns + newest * self._period_ns)

    def _newest(self, now_ns: int) -> int:
        return 0 if self._since_ns is None else (now_ns - self._since_ns) // self._period_ns
