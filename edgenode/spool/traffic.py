"""How many bytes went over the network this day and month, across restarts and reboots.

Days and months are those of UTC. While no clock is known, bytes are counted apart, for days of
24 hours of running, and join the first day that is known: no byte of a budget is forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import cbor2

from edgenode.errors import SpoolError
from edgenode.spool.kept import Kept
from edgenode.spool.rows import MALFORMED

DAY_MS = 86_400_000
LOOSE_MONTH = 31  # days of running, where no clock says when a month is over


class Bytes(NamedTuple):
    """Bytes both ways."""

    sent: int = 0
    received: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.received

    def plus(self, other: Bytes) -> Bytes:
        return Bytes(self.sent + other.sent, self.received + other.received)


class Figures(NamedTuple):
    """What was counted. `day` is days since 1970-01-01, None while no clock was ever known."""

    day: int | None
    today: Bytes
    this_month: Bytes
    ever: Bytes  # over the life of the spool
    told: int  # whatever the user of the record noted beside it, such as alarms that hold


class Traffic(Kept):
    """The record; every method may be called from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._day: int | None = None
        self._month = 0  # months since year 0
        self._today = self._this_month = self._ever = Bytes()
        self._loose = Bytes()  # counted while no clock was known; in neither of the two above
        self._loose_ms = self._loose_days = 0
        self._told = 0
        self._at_ms: int | None = None

    def note(self, sent: int, received: int, now_ms: int, utc_ms: int | None) -> Figures:
        """Count bytes at boot-time `now_ms`; None of `utc_ms` means that no clock is known.

        Also with nothing to count: this is what ends a day. Returns the figures.
        """
        with self.lock:
            passed = 0 if self._at_ms is None else max(0, now_ms - self._at_ms)
            self._at_ms = now_ms
            if utc_ms is None:
                self._pass(passed)
            else:
                self._turn(utc_ms)
            if sent or received:
                self._count(Bytes(sent, received), loose=utc_ms is None)
                self.touch()
            return self._figures()

    def tell(self, told: int) -> None:
        """Keep a number beside the counts, from 0 to 255."""
        with self.lock:
            if told != self._told:
                self._told = told
                self.touch()

    def figures(self) -> Figures:
        """Return what was counted."""
        with self.lock:
            return self._figures()

    # --- with the lock held ---

    def _figures(self) -> Figures:
        today, month = self._today.plus(self._loose), self._this_month.plus(self._loose)
        return Figures(self._day, today, month, self._ever, self._told)

    def _count(self, counted: Bytes, *, loose: bool) -> None:
        self._ever = self._ever.plus(counted)
        if loose:
            self._loose = self._loose.plus(counted)
        else:
            self._today = self._today.plus(counted)
            self._this_month = self._this_month.plus(counted)

    def _pass(self, passed_ms: int) -> None:
        """Let time pass that no clock names: a day of running is never shorter than a real one."""
        self._loose_ms += passed_ms
        if self._loose_ms < DAY_MS:
            return
        self._loose_ms -= DAY_MS
        self._loose_days += 1
        self._this_month = self._this_month.plus(self._loose)
        self._today = self._loose = Bytes()
        if self._loose_days >= LOOSE_MONTH:
            self._loose_days, self._this_month = 0, Bytes()
        self.touch()

    def _turn(self, utc_ms: int) -> None:
        """Begin a day or a month where the clock says so, then let the loose bytes join it.

        A clock that goes back by up to a day begins nothing; by more, it was wrong before, and
        what was counted stays.
        """
        day = utc_ms // DAY_MS
        month = _month_of(utc_ms)
        if self._day is None or day > self._day or day < self._day - 1:
            later = self._day is not None and day > self._day
            if later:
                self._today = Bytes()
            if later and month > self._month:
                self._this_month = Bytes()
            self._day, self._month = day, month
            self.touch()
        self._today, self._this_month = (
            self._today.plus(self._loose),
            self._this_month.plus(self._loose),
        )
        self._loose, self._loose_ms, self._loose_days = Bytes(), 0, 0

    def dump(self) -> bytes:
        """Return the record as it stands in the store."""
        with self.lock:
            self.dumped()
            row: list[Any] = [self._day, self._month, self._loose_ms, self._loose_days, self._told]
            counts = (self._today, self._this_month, self._ever, self._loose)
            return cbor2.dumps([*row, *map(list, counts)])

    @classmethod
    def load(cls, data: bytes) -> Traffic:
        """Return the record of `dump`; raises SpoolError when it is none."""
        traffic = cls()
        try:
            row = cbor2.loads(data)
            day, *numbers = row[:5]
            counts = [Bytes(*map(int, pair)) for pair in row[5:]]
            traffic._day = None if day is None else int(day)
            traffic._month, traffic._loose_ms, traffic._loose_days, traffic._told = map(
                int, numbers
            )
            traffic._today, traffic._this_month, traffic._ever, traffic._loose = counts
        except MALFORMED as error:
            raise SpoolError(f"the record of traffic is not readable: {error}") from error
        return traffic


def _month_of(utc_ms: int) -> int:
    """Return months since year 0; a clock beyond year 9999 is held to be in its last month."""
    date = datetime.fromtimestamp(min(utc_ms / 1000, 253_402_300_799), UTC)
    return date.year * 12 + date.month - 1
