"""What the edges of a line tell: an exact count, and for how long the line was active."""

from __future__ import annotations

from typing import Final, NamedTuple

from edgenode.bus.wires import EdgeLine

SEQNO_MODULUS: Final = 1 << 32  # line_seqno is a __u32, linux/gpio.h
RISING: Final = 1  # GPIO_V2_LINE_EVENT_RISING_EDGE
UNSEEN_SHARE: Final = 0.5  # active, of a time whose edges were not kept


class CountedEdge(NamedTuple):
    """One edge that was read."""

    number: int  # of this edge, counted from the opening of the line
    missed: int  # edges just before it that fell out of the kernel's queue
    high: bool
    stamp_ns: int  # boot-time


class EdgeCount:
    """Counts the edges of a line since it was opened, by this process or by one before it.

    The kernel counts (`line_seqno`), so nothing is lost however long nobody reads. Of a line that
    was handed over the count is 0 until its first edge is read: until then it is not known.
    `edges_each` is how many edges make one of what the totals of `keep` are about.
    """

    def __init__(self, line: EdgeLine, edges_each: int = 1) -> None:
        self._line, self._each = line, edges_each
        self._began = line.inherited  # the total when the line was opened
        self._unseen = line.inherited is not None
        self._seqno = line.line_seqno
        self.count = 0
        self.missed = 0  # in all

    def take(self) -> list[CountedEdge]:
        """Return the queued edges, oldest first, without blocking; raises BusError."""
        return [
            self._counted(event.line_seqno, event.id == RISING, event.timestamp_ns)
            for event in self._line.events()
        ]

    def resumed(self) -> int | None:
        """Return the total at which a line that was handed over began to count."""
        return self._line.inherited

    def keep(self, total: int) -> None:
        """Let the line, which began to count at this total, outlive this process."""
        self._began = total
        self._line.keep(total)

    def _counted(self, seqno: int, high: bool, stamp_ns: int) -> CountedEdge:  # noqa: FBT001 - a field
        step = (seqno - self._seqno) % SEQNO_MODULUS
        missed = 0 if self._unseen else step - 1  # what came before a handover is not ours to miss
        if seqno < self._seqno and self._began is not None:
            self.keep(self._began + SEQNO_MODULUS // self._each)  # the kernel has begun anew at 0
        self._unseen, self._seqno = False, seqno
        self.count += step
        self.missed += missed
        return CountedEdge(self.count, missed, high, stamp_ns)


class ActiveTime:
    """For which share of each interval something was active. Times are of one unit, any."""

    def __init__(self, *, active: bool) -> None:
        self.active = active
        self.since: int | None = None  # when the present state began; None: not known
        self._watched_from: int | None = None
        self._from = self._until = 0  # the interval, as far as it is accounted for
        self._active_for = 0.0
        self._exact = True

    def change(self, at: int, *, active: bool, missed: int = 0) -> int:
        """Take in a change; return for how long the state before it lasted, -1: not known.

        `missed` changes just before it are not known: then half of that time counts as active.
        """
        lasted = -1 if missed or self.since is None else max(0, at - self.since)
        self._account(at, UNSEEN_SHARE if missed else float(self.active))
        self._exact = self._exact and not missed
        self.active, self.since = active, at
        return lasted

    def forget(self) -> None:
        """Take in that changes were missed and none was seen since: when it began is not known."""
        self.since, self._exact = None, False

    def share(self, now: int) -> tuple[float | None, bool]:
        """Return the share since the last call, 0 to 1, and whether it is exact.

        None where there is no interval: at the first call, and where no time has passed.
        """
        first = self._watched_from is None
        if first:
            self._watched_from = self._from = self._until = now
        self._account(now, float(self.active))
        length, exact = self._until - self._from, self._exact
        share = self._active_for / length if length else None
        self._from, self._active_for, self._exact = self._until, 0.0, True
        return share, exact

    def active_for(self, now: int) -> int:
        """Return for how long it has been active without a break, as far as it was watched."""
        began = self._watched_from if self.since is None else self.since
        return now - began if self.active and began is not None else 0

    def _account(self, at: int, share: float) -> None:
        """Move on to `at`; an interval ends with its newest change where that came later."""
        if self._watched_from is not None and at > self._until:
            self._active_for += (at - self._until) * share
            self._until = at
