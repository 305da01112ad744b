"""The condition log: what was wrong, from when to when, across restarts and reboots, bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import cbor2

from edgenode.errors import SpoolError
from edgenode.spool.kept import Kept
from edgenode.spool.model import Condition, Moment
from edgenode.spool.rows import MALFORMED

MAX_ENTRIES = 256
MAX_BYTES = 24 << 10  # of the log in its row of the store
ENTRY_BYTES = 48  # of an entry beside its texts, at most: two moments, a count, heads
MAX_KEY, MAX_WHAT = 100, 200  # characters
MAX_ENTRY = ENTRY_BYTES + 4 * (MAX_KEY + MAX_WHAT)  # UTF-8 has at most 4 bytes a character
FLAP_MS = 600_000  # what ends and begins again within this is one entry
CARRY_MS = 60_000  # of a process: what an earlier one left open must be held again by then
URGENT_MS = 10_000  # a change that met no other transaction gets one of its own after this

UtcAt = Callable[[int, int], int | None]  # (epoch, boot-time ms) -> POSIX ms, None: not known


class Conditions(Kept):
    """Entries in the order of their beginnings. `observe` and `note` belong to one thread."""

    def __init__(self, log: Iterable[Condition] = ()) -> None:
        super().__init__()
        self._log = list(log)
        self._open = {entry.key for entry in self._log if entry.end is None}
        self._inherited = set(self._open)
        self._epoch = self._until = 0
        self._last: Moment | None = None
        self._offset: int | None = None  # POSIX ms less boot-time ms, of this epoch
        self._urgent_at: int | None = None

    def begin(self, epoch: int, now_ms: int, last: Moment | None) -> None:
        """Begin a life of the process; `last` is the last moment that an earlier one tells of."""
        self._epoch, self._last = epoch, last
        self._until = now_ms + CARRY_MS

    def observe(self, held: Mapping[str, str], now_ms: int) -> None:
        """Take what holds now, key to words; what begins and ends is derived.

        The words of an entry are those of its beginning.
        """
        with self.lock:
            if held.keys() == self._open and not self._inherited:
                return
            if now_ms >= self._until:
                for key in sorted(self._inherited):
                    self._end(key, self._last, now_ms)
            self._inherited -= held.keys()
            for key in sorted(self._open - held.keys() - self._inherited):
                self._end(key, self._moment(now_ms), now_ms)
            for key in sorted(held.keys() - self._open):
                self._open.add(key)
                self._enter(key, held[key], self._moment(now_ms), None)

    def note(self, key: str, what: str, now_ms: int) -> None:
        """Enter something that happened in an instant."""
        with self.lock:
            now = self._moment(now_ms)
            self._enter(key, what, now, now)

    def history(self) -> tuple[Condition, ...]:
        """Return all entries, the latest to begin last; safe from any thread."""
        with self.lock:
            return tuple(self._log)

    def kept_from(self) -> Moment | None:
        """Return since when the log is complete; None while nothing had to be left out.

        Once full it stays full, and what ended first was left out first.
        """
        with self.lock:
            full = len(self._log) >= MAX_ENTRIES or self._bytes() > MAX_BYTES - MAX_ENTRY
            ended = (entry.begin for entry in self._log if entry.end is not None)
            return next(ended, None) if full else None

    def urgent(self, now_ms: int) -> bool:
        """Tell whether a change has waited long enough for a transaction of its own."""
        return self._urgent_at is not None and now_ms >= self._urgent_at

    def settled(self) -> None:
        with self.lock:  # a change at this very moment keeps its hurry
            super().settled()
            if not self.changed:
                self._urgent_at = None

    def resolve(self, now_ms: int, utc_at: UtcAt) -> None:
        """Fill in the UTC that was not known when an entry was made."""
        utc = utc_at(self._epoch, now_ms)
        with self.lock:
            self._offset = None if utc is None else utc - now_ms
            for place, entry in enumerate(self._log):
                begin, end = _resolved(entry.begin, utc_at), _resolved(entry.end, utc_at)
                if (begin, end) != (entry.begin, entry.end) and begin is not None:
                    self._log[place] = entry._replace(begin=begin, end=end)
                    self.touch()

    # --- with the lock held ---

    def _moment(self, now_ms: int) -> Moment:
        return Moment(self._epoch, now_ms, None if self._offset is None else now_ms + self._offset)

    def _enter(self, key: str, what: str, begin: Moment, end: Moment | None) -> None:
        """Begin an entry, or go on with the last of this key where it ended a moment ago.

        Repetitions are written with what comes next: a loose contact shall not wear the card.
        """
        key, what = key[:MAX_KEY], what[:MAX_WHAT]
        self.touch()
        place = self._last_of(key)
        before = self._log[place] if place is not None else None
        if place is not None and before and _flaps(before, what, begin, end):
            self._log[place] = before._replace(what=what, end=end, times=before.times + 1)
            return
        self._log.append(Condition(key, what, begin, end, 1))
        self._hurry(begin.t_ms)
        while len(self._log) > MAX_ENTRIES or self._bytes() > MAX_BYTES:
            ended = (at for at, entry in enumerate(self._log) if entry.end is not None)
            del self._log[next(ended, 0)]

    def _bytes(self) -> int:
        return sum(map(_size, self._log))

    def _end(self, key: str, at: Moment | None, now_ms: int) -> None:
        self._open.discard(key)
        self._inherited.discard(key)
        for place, entry in enumerate(self._log):  # none where the bound took it
            if entry.key == key[:MAX_KEY] and entry.end is None:
                self._log[place] = entry._replace(end=_later(entry.begin, at))
                self.touch()
                if entry.times == 1:
                    self._hurry(now_ms)

    def _last_of(self, key: str) -> int | None:
        places = range(len(self._log) - 1, -1, -1)
        return next((place for place in places if self._log[place].key == key), None)

    def _hurry(self, now_ms: int) -> None:
        if self._urgent_at is None:
            self._urgent_at = now_ms + URGENT_MS

    def dump(self) -> bytes:
        """Return the log as it stands in the store."""
        with self.lock:
            self.dumped()
            return cbor2.dumps([_plain(entry) for entry in self._log])

    @classmethod
    def load(cls, data: bytes) -> Conditions:
        """Return the log of `dump`; raises SpoolError when it is none."""
        try:
            return cls(_entry(*row) for row in cbor2.loads(data))
        except MALFORMED as error:
            raise SpoolError(f"the condition log is not readable: {error}") from error


def _flaps(before: Condition, what: str, begin: Moment, end: Moment | None) -> bool:
    """Tell whether an entry goes on: not long since it ended, and an instant with its words."""
    gap = None if before.end is None else before.end.ms_to(begin)
    instant = end is not None
    return gap is not None and gap < FLAP_MS and (not instant or before.what == what)


def _later(begin: Moment, end: Moment | None) -> Moment:
    """Return the end, which is never before the beginning."""
    return begin if end is None or end[:2] < begin[:2] else end


def _resolved(moment: Moment | None, utc_at: UtcAt) -> Moment | None:
    if moment is None or moment.utc_ms is not None:
        return moment
    return moment._replace(utc_ms=utc_at(moment.epoch, moment.t_ms))


def _size(entry: Condition) -> int:
    return ENTRY_BYTES + len(entry.key.encode()) + len(entry.what.encode())


def _plain(entry: Condition) -> list[Any]:
    end = None if entry.end is None else list(entry.end)
    return [entry.key, entry.what, list(entry.begin), end, entry.times]


def _entry(key: str, what: str, begin: list[Any], end: list[Any] | None, times: int) -> Condition:
    if not (isinstance(key, str) and isinstance(what, str) and isinstance(times, int)):
        raise TypeError("an entry without words")
    return Condition(key, what, _moment(begin), None if end is None else _moment(end), times)


def _moment(numbers: list[Any]) -> Moment:
    epoch, t_ms, utc_ms = numbers
    if not all(isinstance(n, int) for n in (epoch, t_ms, 0 if utc_ms is None else utc_ms)):
        raise TypeError("a moment that is no number")
    return Moment(epoch, t_ms, utc_ms)
