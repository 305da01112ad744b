"""When a satellite receiver may vouch for UTC, and how far: its sentences come late.

A sentence tells the second that it is about and comes some time after it: 0.1 to 0.6 s as a rule
(gpsd's Time Service HOWTO), a second at most. How late is not known without a pulse (PPS), so half
of that is the error. Until it has received the almanac, which is repeated each 12.5 minutes
(IS-GPS-200, 20.3.3.5: 25 pages of 30 s), a receiver may not know by how many leap seconds UTC is
behind GPS (18 since 2017, IERS Bulletin C 52), and be out by whole seconds.
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


def plausible(day: date) -> bool:
    """Whether a receiver that is not out by 1024 weeks can have said this."""
    return 0 <= (day - FIRST_DAY).days < PERIOD_DAYS


class Witness:
    """Compares the newest MOMENTS of a receiver with boot-time.

    The least late of them counts. They must lie within `latency_ms`, the most by which its first
    sentence comes late, and have done so for `almanac_ms` before anything is vouched for.
    """

    def __init__(self, latency_ms: int, almanac_ms: int) -> None:
        self._latency_ms, self._almanac_ms = latency_ms, almanac_ms
        self._behind: deque[int] = deque(maxlen=MOMENTS)  # boot-time less what was said, ms
        self._since_ms = 0  # of the first of these that agreed without a break
        self.steady = False  # whether they agree

    def heard(self, day: date, ms: int, at_ms: int) -> Anchor | None:
        """Take a moment that came at `at_ms` of boot-time; return what can be vouched for."""
        if not self._behind:
            self._since_ms = at_ms
        self._behind.append(at_ms - ((day - EPOCH).days * DAY_MS + ms))
        least = min(self._behind)
        agree = max(self._behind) - least <= self._latency_ms
        if not agree:  # it has changed its mind, or we were late
            self._since_ms = at_ms
        self.steady = agree and len(self._behind) == MOMENTS
        if not self.steady or at_ms - self._since_ms < self._almanac_ms:
            return None
        half = self._latency_ms // 2
        return Anchor(at_ms, at_ms - least + half, ClockSource.GNSS, half + SLACK_MS)

    def lost(self) -> None:
        """Begin anew: there is no fix."""
        self._behind.clear()
        self.steady = False
