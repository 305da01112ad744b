"""Values for virtual instruments to play: more of a part's range than weather ever shows."""

from __future__ import annotations

import random


class Anything:
    """Stands where a Play stands: any value between two, another one in each row."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def value(self, row: int) -> float:
        return random.Random(f"{row} {self.low} {self.high}").uniform(self.low, self.high)
