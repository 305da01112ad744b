"""When a reading happened: from boot-time and anchors to UTC with a stated error.

The rules are those of docs/wire-format.md, "Time". Arrival time is never used.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edgenode.reading import Anchor, ClockSource

PPM_50 = 20_000  # 50 ppm is one part in 20,000: what a node's oscillator may drift
PPM_200 = 5_000  # 200 ppm is one part in 5,000: how far two anchors may drift apart and agree
STRONG = frozenset({ClockSource.NTP, ClockSource.PTP, ClockSource.GNSS})
USABLE = frozenset(ClockSource) - {ClockSource.NONE}


class Time(NamedTuple):
    """UTC in POSIX ms, wrong by at most `err` ms; or only the interval [earliest, latest].

    `clock` is the ClockSource that vouches, 0 when none does: then `utc` and `err` are None, and a
    bound that is not known yet is None too. Otherwise the interval is utc - err … utc + err.
    """

    utc: int | None
    err: int | None
    earliest: int | None
    latest: int | None
    clock: int


class Span(NamedTuple):
    """Between which UTC ms an epoch without anchors lies; None where nothing is known yet."""

    earliest: int | None = None
    latest: int | None = None


UNKNOWN = Span()


def usable(anchors: Iterable[Anchor]) -> list[Anchor]:
    """Return the anchors that vouch for something, each once, ascending in boot-time."""
    return sorted({a for a in anchors if a.source in USABLE}, key=_order)


def _order(anchor: Anchor) -> tuple[int, int, int, int]:
    return anchor.mono, anchor.err, anchor.source, anchor.utc


def agree(a: Anchor, b: Anchor) -> bool:
    """Tell whether two anchors of one epoch tell the same story, within errors and 200 ppm."""
    apart = abs((b.utc - a.utc) - (b.mono - a.mono))
    return (apart - a.err - b.err) * PPM_200 <= abs(b.mono - a.mono)


class Timeline:
    """UTC of every boot-time of one epoch of one spool."""

    def __init__(self, anchors: Iterable[Anchor], span: Span = UNKNOWN) -> None:
        self._anchors = usable(anchors)
        self._span = span
        self._monos = [a.mono for a in self._anchors]
        self._strong = [a for a in self._anchors if a.source in STRONG]
        self._strong_monos = [a.mono for a in self._strong]
        self._left, self._right = _nearest_best(self._anchors)

    def at(self, t: int) -> Time:
        """Return the time of boot-time `t` ms: O(log anchors)."""
        if not self._anchors:
            return Time(None, None, self._span.earliest, self._span.latest, ClockSource.NONE)
        return self._between(t) or self._from_best(t)

    def _between(self, t: int) -> Time | None:
        """Interpolate between the two consecutive strong anchors around `t`, if they agree."""
        right = bisect_right(self._strong_monos, t)
        for i in (right, right - 1):  # a moment that is an anchor's may end one pair or begin one
            if 0 < i < len(self._strong):
                a, b = self._strong[i - 1], self._strong[i]
                if a.mono <= t <= b.mono and a.mono < b.mono and agree(a, b):
                    return _interpolate(a, b, t)
        return None

    def _from_best(self, t: int) -> Time:
        """Go on at slope 1 from the anchor whose error at `t` is least; ties go to the nearer."""
        candidates = []
        i = bisect_right(self._monos, t)
        if i > 0:
            candidates.append(self._left[i - 1])
        j = bisect_left(self._monos, t)
        if j < len(self._anchors):
            candidates.append(self._right[j])
        best = min(candidates, key=lambda a: (a.err * PPM_50 + abs(t - a.mono), abs(t - a.mono)))
        err = best.err + _drift(t - best.mono)
        return _known(best.utc + t - best.mono, err, best.source)


def _interpolate(a: Anchor, b: Anchor, t: int) -> Time:
    utc = a.utc + (b.utc - a.utc) * (t - a.mono) // (b.mono - a.mono)
    nearer = a if t - a.mono <= b.mono - t else b
    return _known(utc, max(a.err, b.err) + _drift(t - nearer.mono), nearer.source)


def _known(utc: int, err: int, clock: int) -> Time:
    return Time(utc, err, utc - err, utc + err, clock)


def _drift(distance: int) -> int:
    """50 ppm of a distance, rounded up: a stated error is never less than the rule's."""
    return -(-abs(distance) // PPM_50)


def _nearest_best(anchors: Sequence[Anchor]) -> tuple[list[Anchor], list[Anchor]]:
    """For each anchor: the best among it and those before, and among it and those after.

    Which of two anchors on one side of t is better does not depend on t.
    """
    left: list[Anchor] = []
    for a in anchors:
        before = left[-1] if left else a
        left.append(a if _carried(a, a.mono) <= _carried(before, a.mono) else before)
    right: list[Anchor] = []
    for a in reversed(anchors):
        after = right[-1] if right else a
        right.append(a if _carried(a, a.mono) <= _carried(after, a.mono) else after)
    right.reverse()
    return left, right


def _carried(anchor: Anchor, to: int) -> int:
    """Return the error of an anchor at boot-time `to`, in units of 1/20,000 ms."""
    return anchor.err * PPM_50 + abs(to - anchor.mono)


def influence(anchors: Sequence[Anchor], new: Anchor) -> tuple[int | None, int | None]:
    """Return the closed range of boot-time whose times `new` can change; None is without end.

    `anchors` are the usable ones, ascending, `new` among them. Beyond its strong neighbours, and
    beyond an anchor that is as good as `new` there, a new anchor changes nothing.
    """
    before = [a for a in anchors if a.mono < new.mono]
    after = [a for a in anchors if a.mono > new.mono]
    low = _reach(reversed(before), new)
    high = _reach(after, new)
    return low, high


def _reach(outward: Iterable[Anchor], new: Anchor) -> int | None:
    strong = new.source not in STRONG
    dominated = False
    for a in outward:
        strong = strong or a.source in STRONG
        dominated = dominated or a.err * PPM_50 <= _carried(new, a.mono)
        if strong and dominated:
            return a.mono
    return None
