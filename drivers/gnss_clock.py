"""When a satellite receiver may vouch for UTC, and how far: its sentences come late.

A sentence tells the second that it is about and comes some time after it: 0.1 to 0.6 s as a rule
(gpsd's Time Service HOWTO), a second at most. How late is not known without a pulse (PPS), so half
of that is the error. Until it has received the almanac a receiver may not know how many leap
seconds UTC is behind GPS: 18 since 2017 (IERS Bulletin C 52). The almanac is repeated each 12.5
minutes (IS-GPS-200, 20.3.3.5: 25 pages of 30 s).
"""

from __future__ import annotations

from collections import deque
from datetime import date
from typing import Final

from edgenode.bus.nmea import DAY_MS
from edgenode.reading import Anchor, ClockSource

EPOCH: Final = date(1970, 1, 1)
# Receivers count weeks modulo 1024 and may be out by such a period. From when this was written one
# period is believed, so that none that is out by one ever is.
FIRST_DAY: Final = date(2026, 1, 1)
PERIOD_DAYS: Final = 7 * 1024
MOMENTS: Final = 16  # that must agree before anything is vouched for
SLACK_MS: Final = 50  # between a look at our clock and a look at the port
ALMANAC_MS: Final = 750_000
LEAP_MS: Final = 18_000


def plausible(day: date) -> bool:
    """Whether a receiver that is not out by 1024 weeks can have said this."""
    return 0 <= (day - FIRST_DAY).days < PERIOD_DAYS


class Witness:
    """Compares the newest MOMENTS of a receiver with boot-time.

    The least late of them counts. They must lie within `latency_ms`, the most by which its first
    sentence comes late.
    """

    def __init__(self, latency_ms: int) -> None:
        self._latency_ms = latency_ms
        self._behind: deque[int] = deque(maxlen=MOMENTS)  # boot-time less what was said, ms
        self._since_ms = 0  # of the first of these that agreed without a break

    def heard(self, day: date, ms: int, at_ms: int) -> Anchor | None:
        """Take a moment that came at `at_ms` of boot-time; return what can be vouched for."""
        behind = at_ms - ((day - EPOCH).days * DAY_MS + ms)
        if not self._behind:
            self._since_ms = at_ms
        self._behind.append(behind)
        least = min(self._behind)
        if max(self._behind) - least > self._latency_ms:
            self._since_ms = at_ms  # it has changed its mind, or we were late
            return None
        if len(self._behind) < MOMENTS:
            return None
        half = self._latency_ms // 2
        leap = 0 if self.settled(at_ms) else LEAP_MS
        return Anchor(at_ms, at_ms - least + half, ClockSource.GNSS, half + SLACK_MS + leap)

    def settled(self, now_ms: int) -> bool:
        """Whether it has had the time to receive the almanac."""
        return bool(self._behind) and now_ms - self._since_ms >= ALMANAC_MS

    def lost(self) -> None:
        """Begin anew: there is no fix."""
        self._behind.clear()
