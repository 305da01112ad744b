"""What an installer holds a channel to, beyond what its driver declares."""

from __future__ import annotations

import sys
from typing import Final

from edgenode.reading import Channel, Quality
from edgenode.sensing.board import Board
from edgenode.sensing.rules import ChannelRules

IN_A_ROW: Final = 3  # one disagreement is a matter of moments, three are not
ROUNDING: Final = 1e-9  # relative; 20.3 - 20.1 is more than 0.2 in binary


class Twin:
    """Another channel that measures the same, on whatever bus."""

    def __init__(self, name: str, tolerance: float | None, board: Board) -> None:
        self.name = name
        self.difference: float | None = None  # to its newest value, as last compared
        self._tolerance = None if tolerance is None else tolerance * (1 + ROUNDING)
        self._board = board
        self._times = 0
        self._compared_ms: int | None = None
        board.want(name)

    def disagrees(self, value: float, now_ms: int) -> bool:
        """Compare, and return whether the third new value of the twin in a row was too far off."""
        other = self._board.fresh(self.name, now_ms)
        if other is None:
            self.difference, self._times = None, 0
            return False
        self.difference = value - other.value
        if self._tolerance is None or abs(self.difference) <= self._tolerance:
            self._times = 0
        elif other.t_ms != self._compared_ms:
            self._times += 1
        self._compared_ms = other.t_ms
        return self._times >= IN_A_ROW

    @property
    def value(self) -> float | None:
        """The newest value of the twin, however old."""
        newest = self._board.newest(self.name)
        return newest.value if newest else None


class Judge:
    """Judges the numbers of one channel, and keeps what that takes of the past."""

    def __init__(self, channel: Channel, rules: ChannelRules, every_ms: int, board: Board) -> None:
        most = sys.float_info.max
        lows = [low for low in (channel.low, rules.low) if low is not None]
        highs = [high for high in (channel.high, rules.high) if high is not None]
        self._low, self._high = max(lows, default=-most), min(highs, default=most)
        self._stuck_ms = None if rules.stuck_s is None else rules.stuck_s * 1000
        self._rate_per_ms = None if rules.rate_per_s is None else rules.rate_per_s / 1000
        self._every_ms = every_ms
        self.twin = Twin(rules.twin, rules.tolerance, board) if rules.twin else None
        self._last: float | None = None
        self._since_ms = 0  # of the last change
        self._accepted: tuple[float, int] | None = None  # what a rate is measured against

    def quality(self, value: float, quality: Quality, now_ms: int) -> Quality:
        """Return how good a finite value is whose quality so far is `quality`."""
        if value != self._last:
            self._last, self._since_ms = value, now_ms
        if quality not in {Quality.OK, Quality.SETTLING}:
            return quality
        if not self._low <= value <= self._high:
            return Quality.OUT_OF_RANGE
        return quality if quality is Quality.SETTLING else self._doubt(value, now_ms)

    def _doubt(self, value: float, now_ms: int) -> Quality:
        if self._stuck_ms is not None and now_ms - self._since_ms > self._stuck_ms:
            return Quality.STUCK
        if self._leaps(value, now_ms):
            return Quality.RATE_OF_CHANGE
        self._accepted = (value, now_ms)
        if self.twin and self.twin.disagrees(value, now_ms):
            return Quality.DISAGREES
        return Quality.OK

    def _leaps(self, value: float, now_ms: int) -> bool:
        """Measure the rate from the last value that was believed.

        So a spike is told and the value after it is not, while a true step is believed once
        enough time has passed for it. Reads closer than a period count as a period apart:
        otherwise noise would be a rate.
        """
        if self._rate_per_ms is None or self._accepted is None:
            return False
        before, then_ms = self._accepted
        within_ms = max(now_ms - then_ms, self._every_ms)
        return abs(value - before) > self._rate_per_ms * within_ms * (1 + ROUNDING)
