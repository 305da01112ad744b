"""The time that a report shows: its buckets, days and ticks, in the zone of who reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
MOST_BUCKETS = 750  # a plot is about as many pixels wide
MOST_TICKS = 8
STEPS = (
    10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
    30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
)  # fmt: skip
TICK_HOURS = (1 / 60, 1 / 12, 1 / 6, 0.5, 1, 2, 3, 6, 12)
TICK_DAYS = (1, 2, 5, 7, 14, 30, 90, 365)


class Window(NamedTuple):
    """POSIX ms from `start` to before `end`; `zone` None is that of this machine."""

    start: int
    end: int
    zone: tzinfo | None

    @property
    def step(self) -> int:
        """The length of a bucket, ms."""
        fit = (s for s in STEPS if (self.end - self.start) / s <= MOST_BUCKETS)
        return next(fit, -(-(self.end - self.start) // MOST_BUCKETS // DAY) * DAY)

    @property
    def offset(self) -> int:
        """The zone's offset from UTC at the start, ms: buckets are hours and days of the zone."""
        shift = self.at(self.start).utcoffset()
        return int(shift.total_seconds() * 1000) if shift else 0

    def bucket(self, utc: int) -> int:
        """Return the number of the bucket in which POSIX ms `utc` lies."""
        return (utc + self.offset) // self.step

    def middle(self, bucket: int) -> int:
        """Return POSIX ms of the middle of a bucket."""
        return bucket * self.step - self.offset + self.step // 2

    def at(self, utc: int) -> datetime:
        """Return a moment in the zone."""
        return datetime.fromtimestamp(utc / 1000, UTC).astimezone(self.zone)

    def day(self, utc: int) -> str:
        """Return the day of a moment, as 2026-11-18."""
        return self.at(utc).strftime("%Y-%m-%d")

    def say(self, utc: int | None) -> str:
        """Return a moment as people write it, to the second."""
        return "at an unknown time" if utc is None else self.at(utc).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def zone_name(self) -> str:
        """The name of the zone, with its offset at the start."""
        at = self.at(self.start)
        name, offset = at.tzname() or "", at.strftime("%z")
        shown = f"UTC{offset[:3]}:{offset[3:]}" if offset.strip("+-0") else "UTC"
        return shown if name in ("", "UTC", shown) or name[0] in "+-" else f"{name} ({shown})"

    def days(self) -> list[tuple[int, int]]:
        """Return (start, end) in POSIX ms of each day of the zone that the window touches."""
        marks = self._midnights(1)
        return [(a, b) for a, b in pairwise(marks) if b > self.start]

    def ticks(self) -> list[tuple[int, str]]:
        """Return moments to mark on an axis, with their labels."""
        length = self.end - self.start
        for hours in TICK_HOURS:
            if length / (hours * HOUR) <= MOST_TICKS:
                return [(t, self._label(t)) for t in self._within(int(hours * HOUR))]
        days = next((d for d in TICK_DAYS if length / (d * DAY) <= MOST_TICKS), TICK_DAYS[-1])
        form = "%d %b" if days < TICK_DAYS[-2] else "%b %Y"
        marks = [t for t in self._midnights(days) if self.start <= t < self.end]
        return [(t, self.at(t).strftime(form)) for t in marks]

    def _label(self, utc: int) -> str:
        at = self.at(utc)
        return at.strftime("%H:%M") if at.hour or at.minute else at.strftime("%d %b")

    def _within(self, step: int) -> list[int]:
        first = self._midnights(1)[0]
        return [t for t in range(first, self.end, step) if t >= self.start]

    def _midnights(self, every: int) -> list[int]:
        """Return midnights of the zone, from the last before the start to the first behind."""
        day = self.at(self.start).date()
        found: list[int] = []
        while not found or found[-1] < self.end:
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - given a zone next
            local = (
                midnight.astimezone() if self.zone is None else midnight.replace(tzinfo=self.zone)
            )
            found.append(int(local.timestamp() * 1000))
            day += timedelta(days=every)
        return found
