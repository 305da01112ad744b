"""What the lamps of a signal head do together: conflicts, darkness, standstill, cycles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edgenode.bus import ActiveTime

BITS: Final = {"red": 1, "amber": 2, "green": 4}  # of the channel "phase"
# Longer is a conflict. A second leaves room for lamps that glow out and for opto-couplers on mains;
# the controller's own monitor, which switches the head off, is far quicker.
CONFLICT_MS: Final = 1_000
CALM_MS: Final = 600_000  # after the end of a conflict; the next one is another alarm

OK, CONFLICT, DARK, STUCK = 0, 1, 2, 3  # of the channel "condition"


class Head:
    """Takes every change of a lamp with its stamp, in their order. All times are boot-time, ms.

    `moved_on` says until when all changes are known. A change that was missed ends what is known
    of the phase it fell into: no conflict and no length of a cycle is made of guesses.
    """

    def __init__(self, lit: Mapping[str, bool], dark_ms: int, stuck_ms: int, now_ms: int) -> None:
        self.times = {lamp: ActiveTime(active=on) for lamp, on in lit.items()}
        self.changes = self.cycles = self.conflicts = 0
        self._dark_ms, self._stuck_ms = dark_ms, stuck_ms
        self._changed_ms = self._now_ms = now_ms
        self._both_ms: int | None = None  # since when red and green are on together
        self._counted = False  # among the conflicts
        self._calm_ms: int | None = None  # until when the last conflict is remembered
        self._red_ms: int | None = None  # when the cycle began, where that is known
        self._was_green = lit["green"]  # since then
        self._lengths: list[int] = []  # of the cycles since they were last taken
        self._contradicted = False
        self._look(now_ms)

    @property
    def phase(self) -> int:
        """Which lamps are on, a bit each."""
        return sum(BITS[lamp] for lamp, time in self.times.items() if time.active)

    @property
    def in_conflict(self) -> bool:
        """Whether red and green are on together for too long at this moment."""
        return self._both_ms is not None and self._counted

    @property
    def condition(self) -> int:
        """What is wrong, the worst first."""
        if self._calm_ms is not None and self._now_ms < self._calm_ms:
            return CONFLICT
        unchanged_ms = self._now_ms - self._changed_ms
        if not self.phase:
            return DARK if unchanged_ms > self._dark_ms else OK
        return STUCK if 0 < self._stuck_ms < unchanged_ms else OK

    def change(self, t_ms: int, lamp: str, *, on: bool, missed: int = 0) -> int | None:
        """Take in a change; return when a conflict began that it has ended, if nobody knew of it.

        `missed` are the changes of this lamp just before it.
        """
        self.changes += 1 + missed
        if missed:
            self._forget()
        began_ms = self._look(t_ms)
        self.times[lamp].change(t_ms, active=on, missed=missed)
        self._changed_ms = t_ms
        if on:
            self._cycle(t_ms, lamp)
        self._look(t_ms)
        return began_ms

    def lost(self, lamp: str, missed: int) -> None:
        """Take in that a lamp has changed so often and is again as it was."""
        self.changes += missed
        self.times[lamp].forget()
        self._changed_ms = self._now_ms
        self._forget()

    def moved_on(self, now_ms: int) -> int | None:
        """Let time pass; return when a conflict began that has become one."""
        return self._look(max(now_ms, self._now_ms))

    def lengths(self) -> list[int]:
        """Return the lengths of the cycles that ended since the last call."""
        lengths, self._lengths = self._lengths, []
        return lengths

    def contradicted(self) -> bool:
        """Whether there was a conflict since the last call."""
        found, self._contradicted = self._contradicted, False
        return found

    def _look(self, t_ms: int) -> int | None:
        """Judge how it was up to this moment."""
        self._now_ms = t_ms
        if not (self.times["red"].active and self.times["green"].active):
            self._both_ms, self._counted = None, False
            return None
        if self._both_ms is None:
            self._both_ms = t_ms
        if t_ms - self._both_ms <= CONFLICT_MS:
            return None
        remembered = self._calm_ms is not None and t_ms < self._calm_ms
        self._calm_ms, self._contradicted = t_ms + CALM_MS, True
        if self._counted:
            return None
        self._counted = True
        self.conflicts += 1
        return None if remembered else self._both_ms

    def _forget(self) -> None:
        self._both_ms, self._counted = None, False
        self._red_ms = None

    def _cycle(self, t_ms: int, lamp: str) -> None:
        """Begin a cycle with red after green; lamps that flash begin none."""
        if lamp == "green":
            self._was_green = True
        elif lamp == "red" and self._was_green:
            self.cycles += 1
            if self._red_ms is not None:
                self._lengths.append(t_ms - self._red_ms)
            self._red_ms, self._was_green = t_ms, False
