"""Time on a computer that loses it: boot-time that never steps, and anchors that tie it to UTC."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

from edgenode.forward import forwarded
from edgenode.reading import Anchor, ClockSource
from edgenode.timex import Kernel

ANCHOR_EVERY_MS = 600_000
STEP_MS = 1_000  # a wall clock that moved this far against boot-time has been stepped
DRIFT_PPM = 50  # of a crystal; the wire format's own figure
TOLD_MS = 3_600_000  # for so long what a part told is gone on with, ever less sure
DISCIPLINED = frozenset({ClockSource.NTP, ClockSource.PTP})


class Clock(Protocol):
    """All the time a room may ask for; tests bring their own."""

    def boot_ms(self) -> int:
        """Milliseconds since boot, counting suspend (CLOCK_BOOTTIME)."""
        ...

    def utc_ms(self) -> int:
        """POSIX milliseconds of the wall clock, right or wrong."""
        ...

    def sync(self) -> tuple[int, int]:
        """(ClockSource, |error| bound in ms) of the wall clock now; NONE when nothing vouches."""
        ...

    def boot_id(self) -> str:
        """Return a text that differs at every boot of the kernel."""
        ...

    def tell(self, anchor: Anchor) -> None:
        """Take note of what a part on a wire knows of UTC; any thread may tell."""
        ...

    def told(self) -> Anchor | None:
        """Return the best of what was told, as it is now; None where there is nothing recent."""
        ...


class Told(ABC):
    """The half of a clock that parts on wires tell of UTC. No lock: a posting is one value."""

    _told: Anchor | None = None

    @abstractmethod
    def boot_ms(self) -> int:
        """Milliseconds since boot."""

    def tell(self, anchor: Anchor) -> None:
        held = self.told()
        if held is None or anchor.err <= held.err:
            self._told = anchor

    def told(self) -> Anchor | None:
        anchor, now = self._told, self.boot_ms()
        if anchor is None or now - anchor.mono > TOLD_MS:
            return None
        passed = now - anchor.mono
        drift = abs(passed) * DRIFT_PPM // 1_000_000
        return Anchor(now, anchor.utc + passed, anchor.source, anchor.err + drift)


class SystemClock(Told):
    """The kernel's clocks. `manual_err_ms` lets an operator vouch for an undisciplined one."""

    def __init__(self, manual_err_ms: int | None = None) -> None:
        self._manual_err_ms = manual_err_ms
        self._kernel = Kernel()

    def boot_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def utc_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def sync(self) -> tuple[int, int]:
        """Ask the kernel, then the operator, who cannot vouch for what a boot made up."""
        error_ms = self._kernel.error_ms(self.boot_ms(), self.utc_ms())
        if error_ms is not None:
            return ClockSource.NTP, error_ms
        if self._manual_err_ms is not None and not forwarded():
            return ClockSource.MANUAL, self._manual_err_ms
        return ClockSource.NONE, 0

    def boot_id(self) -> str:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def best(clock: Clock) -> Anchor:
    """Return what is known best of UTC now; its source is NONE where nobody vouches.

    A part that knows the time is believed before an undisciplined wall clock, whatever a person
    says of that. A disciplined one is believed unless the part is surer and says the same.
    """
    wall = Anchor(clock.boot_ms(), clock.utc_ms(), *clock.sync())
    told = clock.told()
    if told is None:
        return wall
    if wall.source in DISCIPLINED:
        apart = abs(told.utc - told.mono - (wall.utc - wall.mono))
        return told if told.err < wall.err and apart <= told.err + wall.err else wall
    return told


class Timekeeper:
    """Turns a clock into the anchors worth keeping, and notices when the wall clock was stepped."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._last: Anchor | None = None
        self._offset: int | None = None

    def observe(self) -> tuple[Anchor | None, int]:
        """Return (a new anchor or None, by how many ms the wall clock was stepped or 0)."""
        mono, utc = self.clock.boot_ms(), self.clock.utc_ms()
        stepped = self._step(utc - mono)
        anchor = best(self.clock)
        if anchor.source == ClockSource.NONE:
            return None, stepped
        if not (stepped or self._worth(anchor)):
            return None, stepped
        self._last = anchor
        return anchor, stepped

    def _step(self, offset: int) -> int:
        before, self._offset = self._offset, offset
        if before is None or abs(offset - before) < STEP_MS:
            return 0
        return offset - before

    def _worth(self, anchor: Anchor) -> bool:
        last = self._last
        return (
            last is None
            or anchor.source != last.source
            or anchor.mono - last.mono >= ANCHOR_EVERY_MS
            or anchor.err * 2 < last.err
        )
