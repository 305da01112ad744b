"""The network budget: bytes of a day and a month, what is done near the limit, and at it."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from edgenode.clock import Clock, best
from edgenode.reading import ClockSource, Event, EventCode, Limit, Stream
from edgenode.spool import Figures, Traffic
from edgenode.uplink.bucket import TokenBucket
from edgenode.uplink.meter import Tally
from edgenode.uplink.options import UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.stats import UplinkStats

LOOK_MS = 1_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NEAR = 0.8  # of a limit
CALM = 0.95  # of a limit: an extrapolation below it ends what one above the limit began
SHARE = 0.5  # of what remains may go to backlog, the rest is for what is fresh
OVERHEAD = 150  # bytes of a batch beside its payload: headers, topic, PUBACK
FIRST_BATCH = 1_000  # bytes of payload, before any was sent
ALL = frozenset(int(stream) for stream in Stream)
EVENTS = frozenset({int(Stream.EVENTS)})


class _Limit(NamedTuple):
    """One limit at this moment; times are None while no clock is known."""

    which: Limit  # also the bit of it that is kept
    most: int
    used: int
    passed_ms: int | None
    length_ms: int
    patience_ms: int  # so much must have passed before it is extrapolated

    def extrapolated(self) -> float:
        """Return what will be used by the end, at the pace so far; 0 while that says nothing."""
        if self.passed_ms is None or self.passed_ms < self.patience_ms:
            return 0.0
        return self.used * self.length_ms / self.passed_ms

    def pace(self) -> float:
        """Return the bytes a second that use up what remains by the end, and not before."""
        left_ms = self.length_ms - (self.passed_ms or 0)
        return (self.most - self.used) * 1000 / left_ms


class Budget:
    """Counts, judges each second, and says which streams may be sent. The uplink's thread calls.

    Both directions count, since both are paid for. State "near": from 80 % of a limit, or where
    the pace so far would pass it. "spent": only events go, with what explains them.
    """

    def __init__(
        self,
        options: UplinkOptions,
        traffic: Traffic,
        clock: Clock,
        boxes: Sequence[Outbox],
        bucket: TokenBucket,
        stats: UplinkStats,
        report: Callable[[Event], None],
    ) -> None:
        self.tally = Tally()
        self.streams: Collection[int] = ALL
        self._options = options
        self._traffic = traffic
        self._clock = clock
        self._boxes = boxes
        self._bucket = bucket
        self._stats = stats
        self._report = report
        self._look_ms = 0
        self._sparing: bool | None = None  # what the outboxes were told; an uplink before told else
        self._offset: int | None = None  # POSIX ms less boot-time ms, once somebody vouched for it

    def look(self) -> None:
        """Note what was counted, and judge it, once a second."""
        now = self._clock.boot_ms()
        if now < self._look_ms:
            return
        self._look_ms = now + LOOK_MS
        utc = self._utc(now)
        figures = self._traffic.note(*self.tally.take(), now, utc)
        limits = _limits(self._options, figures, utc)
        spent = sum(limit.which for limit in limits if limit.used >= limit.most)
        near = any(map(self._near, limits))
        self._tell(spent, figures.told)
        self._act("spent" if spent else "near" if near else "", limits)
        self._show(figures)

    def _utc(self, now: int) -> int | None:
        """Return POSIX ms; a clock that was vouched for once in this life is believed."""
        known = best(self._clock)
        if known.source != ClockSource.NONE:
            self._offset = known.utc - known.mono
        return None if self._offset is None else now + self._offset

    def _near(self, limit: _Limit) -> bool:
        calm = CALM if self._stats.budget else 1.0
        return limit.used >= NEAR * limit.most or limit.extrapolated() > calm * limit.most

    def _act(self, state: str, limits: Sequence[_Limit]) -> None:
        self.streams = EVENTS if state == "spent" else ALL
        self._bucket.pace(self._backlog_per_s(limits) if state == "near" else math.inf)
        if self._sparing is not bool(state):
            self._sparing = bool(state)
            for box in self._boxes:
                box.spare(self._sparing)
        self._stats.budget = state

    def _backlog_per_s(self, limits: Sequence[_Limit]) -> float:
        """Return how many batches a second backlog may take of what remains."""
        sent = self._stats.sent
        batch = (self._stats.bytes_sent / sent if sent else FIRST_BATCH) + OVERHEAD
        return min(limit.pace() for limit in limits) * SHARE / batch

    def _tell(self, spent: int, told: int) -> None:
        """Alarm each limit once, over restarts too, and tell when it is over."""
        for limit in Limit:
            if spent & limit and not told & limit:
                self._report(Event(EventCode.LIMIT_EXCEEDED, value=int(limit)))
            elif told & limit and not spent & limit:
                self._report(Event(EventCode.LIMIT_CLEARED, value=int(limit)))
        self._traffic.tell(spent)

    def _show(self, figures: Figures) -> None:
        stats = self._stats
        stats.sent_today, stats.received_today = figures.today
        stats.sent_month, stats.received_month = figures.this_month


def _limits(options: UplinkOptions, figures: Figures, utc: int | None) -> list[_Limit]:
    limits = []
    into_day = None if utc is None else utc % DAY_MS
    if options.day_bytes is not None:
        used = figures.today.total
        limits.append(_Limit(Limit.DAY_BYTES, options.day_bytes, used, into_day, DAY_MS, HOUR_MS))
    if options.month_bytes is not None:
        days, into_month = 31, None
        if utc is not None and into_day is not None:
            date = datetime.fromtimestamp(utc // 1000, UTC)
            days = calendar.monthrange(date.year, date.month)[1]
            into_month = (date.day - 1) * DAY_MS + into_day
        used = figures.this_month.total
        limits.append(
            _Limit(Limit.MONTH_BYTES, options.month_bytes, used, into_month, days * DAY_MS, DAY_MS)
        )
    return limits
