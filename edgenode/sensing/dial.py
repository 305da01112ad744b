"""How far a register can have gone on from one reading to the next, and what else happened. Pure.

Steps are those of the channel's resolution, as they travel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from edgenode.reading import Channel
from edgenode.sensing.rules import MeterRules
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason

HOUR_MS: Final = 3_600_000
# Many meters pass on once an hour what they count, or what the meter behind them does.
BEHIND_MS: Final = HOUR_MS
OFF_MS: Final = 31 * 24 * HOUR_MS  # what is allowed for where nobody knows for how long
LAP_SHARE: Final = 10  # a register that rolls over has gone a tenth of its round at most
# What a total counts in an hour, for one of what measures it at the moment.
PER_HOUR: Final = {
    "kWh": ("W", 1e-3),
    "Wh": ("W", 1.0),
    "GJ": ("W", 3.6e-6),
    "m3": ("m3/h", 1.0),
    "L": ("L/min", 60.0),
}


class Step(NamedTuple):
    """What was counted for certain since the reading before, and why that may not be all."""

    counted: int
    reason: ResetReason | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """The digits of a register, and how fast it can go."""

    modulus: int | None = None  # steps
    most_per_h: float | None = None  # steps

    def step(self, old: int, new: int, gap_ms: int, *, same: bool = False) -> Step:
        """Judge two readings that are `gap_ms` apart; `same` says that it is the same meter."""
        most = self._most(gap_ms)
        if new >= old:
            leapt = most is not None and new - old > most
            return Step(0, ResetReason.LEAPT) if leapt else Step(new - old)
        if self.modulus is not None:
            lap = new - old + self.modulus
            if lap * LAP_SHARE <= self.modulus and (most is None or lap <= most):
                return Step(lap, ResetReason.ROLLED_OVER)
        if not same:
            return Step(0, ResetReason.WENT_BACK)
        since = new if most is not None and 0 <= new <= most else 0  # it began with 0 again
        return Step(since, ResetReason.SET_BACK)

    def _most(self, gap_ms: int) -> float | None:
        """Return what it can have counted in this time; None where nobody knows."""
        if self.most_per_h is None:
            return None
        within_ms = OFF_MS if gap_ms == UNKNOWN_MS else gap_ms + BEHIND_MS
        return self.most_per_h * within_ms / HOUR_MS + 1  # a step may just be complete


def dial(counter: Channel, measured: Iterable[Channel], rules: MeterRules) -> Dial:
    """Return the dial of a counter, among all that its driver measures."""
    step = 10.0**counter.scale
    modulus = counter.modulus if rules.modulus is None else round(rules.modulus / step)
    most = rules.most_per_h
    if most is None:
        most = declared_per_h(counter, measured)
    return Dial(modulus, None if most is None else most / step)


def declared_per_h(counter: Channel, measured: Iterable[Channel]) -> float | None:
    """Return what a part counts in an hour at the most that it can measure at a moment.

    None where it declares no such maximum.
    """
    unit, each = PER_HOUR.get(counter.unit, ("", 0.0))
    highs = [c.high for c in measured if c.unit == unit and c.high is not None]
    return max(highs) * each if highs else None
