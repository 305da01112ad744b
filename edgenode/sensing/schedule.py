"""When to read: slots on a grid of boot-time, staggered; what was missed is skipped and counted."""

from __future__ import annotations

from collections.abc import Sequence


class Schedule:
    """The slots `phase_ms + k * every_ms` of boot-time.

    The first is the newest that has begun at `now_ms`, so that a sensor is read at once and not a
    period after the start; such a read is stamped with its own moment.
    """

    def __init__(self, every_ms: int, phase_ms: int, now_ms: int) -> None:
        if every_ms < 1:
            raise ValueError(f"a period is at least 1 ms, not {every_ms}")
        self.every_ms = every_ms
        self.due_ms = now_ms - (now_ms - phase_ms) % every_ms
        self.missed = 0

    def take(self, now_ms: int) -> int:
        """Return the newest slot that is due, and move on to the next one.

        Slots before it were missed: the past cannot be measured, so they are only counted.
        """
        behind = (now_ms - self.due_ms) // self.every_ms
        self.missed += behind
        slot = self.due_ms + behind * self.every_ms
        self.due_ms = slot + self.every_ms
        return slot


def stamp(t_ms: int, slot_ms: int, stamp_ms: int) -> int:
    """Return the slot where `t_ms` is within `stamp_ms` of it, else `t_ms`: regular times pack."""
    return slot_ms if abs(t_ms - slot_ms) <= stamp_ms else t_ms


def stagger(periods_ms: Sequence[int]) -> list[int]:
    """Spread the sensors of one bus: the n-th of N begins n/N of its own period later."""
    count = len(periods_ms)
    return [period * n // count for n, period in enumerate(periods_ms)]
