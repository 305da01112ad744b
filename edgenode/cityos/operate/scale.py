"""Axes of plots: from numbers to places, with ticks that people can read."""

from __future__ import annotations

import math
from typing import NamedTuple

# Ticks of a logarithmic axis of time, ms.
SPANS = (
    (1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1e3, "1 s"), (1e4, "10 s"), (6e4, "1 min"),
    (6e5, "10 min"), (3.6e6, "1 h"), (2.16e7, "6 h"), (8.64e7, "1 d"), (6.048e8, "7 d"),
    (2.592e9, "30 d"), (3.1536e10, "1 year"),
)  # fmt: skip
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
WIDEST = 9  # letters of a label
STEPS = (1, 2, 2.5, 5, 10)


class Scale(NamedTuple):
    """An axis from `low` to `high`, `low` < `high`; both are above 0 where it is logarithmic."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False

    def part(self, value: float) -> float:
        """Return where a value stands: 0 at `low`, 1 at `high`."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        value = min(max(value, self.low), self.high)
        return math.log(value / self.low) / math.log(self.high / self.low)


def linear(low: float, high: float) -> Scale:
    """Return an axis for values between `low` and `high`, widened to whole ticks."""
    if not low < high:
        pad = abs(low) * 0.01 or 1.0
        low, high = low - pad, high + pad
    step = _step((high - low) / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = next(d for d in range(16) if d == 15 or math.isclose(round(step, d), step))
    ticks = tuple((i * step, _label(i * step, digits)) for i in range(first, last + 1))
    return Scale(first * step, last * step, ticks)


def spans(most: float) -> Scale:
    """Return a logarithmic axis of time from 1 ms to at least `most` ms."""
    above = next((i for i, (at, _) in enumerate(SPANS) if at >= most), len(SPANS) - 1)
    shown = SPANS[: max(2, above) + 1]
    return Scale(1, shown[-1][0], shown, log=True)


def sizes(most: float) -> Scale:
    """Return an axis of bytes from 0 to at least `most`."""
    unit, name = next(((u, n) for u, n in SIZES if most >= u), (1.0, "B"))
    scale = linear(0, max(most, 1) / unit)
    ticks = tuple((at * unit, f"{text} {name}") for at, text in scale.ticks)
    return Scale(0, scale.high * unit, ticks)


def _label(value: float, digits: int) -> str:
    text = f"{value:z.{digits}f}"
    return text if len(text) <= WIDEST else f"{value:.3e}"


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))
