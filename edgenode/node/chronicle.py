"""The node's side of the condition log: what holds is noted, told as events, and told of later.

What begins and ends is read off the log itself, which outlives restarts and reboots. What the City
OS is owed the end of is not: the log may be seconds behind a power cut, and the spool knows which
events are durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from edgenode.health import Problem
from edgenode.node.boot import BootCause, StartCause
from edgenode.reading import ENDS, Event, EventCode
from edgenode.spool import Begun, Condition, Spool

BOOT, START = "boot", "start"  # keys of what happens in an instant
LINK, CLOCK = "uplink", "clock"  # keys of conditions that no sensor tells of
BEGINNINGS: Final = {LINK: EventCode.LINK_LOST, CLOCK: EventCode.CLOCK_LOST}
RESTARTS_MOST: Final = 8
ENTRIES: Final = 200


class Since(NamedTuple):
    """Since when something holds: a span in ms, and POSIX ms where a clock was known.

    `times` counts how often it has come, where it comes and goes.
    """

    for_ms: int
    utc_ms: int | None
    times: int = 1


class Now(NamedTuple):
    """The clocks of this moment; `utc_ms` is None where nothing vouches for the wall clock."""

    boot_ms: int
    utc_ms: int | None


class Chronicle:
    """Writes the log from the main thread; any thread may read it."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._open = self._held()
        self._begun: dict[str, int] = {}  # boot-time ms of what this process has seen begin
        self._told = {one.code: one for one in spool.unended.standing() if one.name is None}

    def started(self, boot: BootCause | None, start: StartCause, now_ms: int) -> None:
        """Note that the daemon was started, and the machine where that is news; tell both."""
        if boot is not None:
            self._spool.conditions.note(BOOT, boot.word, now_ms)
            self._tell(EventCode.BOOT, int(boot), now_ms)
        if start is not StartCause.BOOT:
            self._spool.conditions.note(START, start.word, now_ms)
        self._tell(EventCode.DAEMON_STARTED, int(start), now_ms)

    def look(self, problems: Iterable[Problem], clock_source: int, now_ms: int) -> None:
        """Note what holds now; tell of the link and the clock where they were lost or found."""
        held = {problem.condition.key: problem.condition.what for problem in problems}
        self._spool.conditions.observe(held, now_ms)
        before, self._open = self._open, self._held()
        for key in self._open.keys() - before.keys():
            self._begun[key] = now_ms
        for key, code in BEGINNINGS.items():
            if key in self._open and code not in self._told:
                self._told[code] = Begun(code, None, None, self._spool.epoch, now_ms)
                self._tell(code, None, now_ms)
            elif key not in self._open and code in self._told:
                begun = self._told.pop(code)
                lost_s = self._lasted_ms(before.get(key), begun, now_ms) // 1000
                self._tell(ENDS[code], lost_s if key == LINK else clock_source, now_ms)
        for key in before.keys() - self._open.keys():
            self._begun.pop(key, None)

    def _lasted_ms(self, entry: Condition | None, begun: Begun, now_ms: int) -> int:
        """Return for how long something was told to last; without a word of the log, at least."""
        if entry is not None:
            return self._since(entry, Now(now_ms, None)).for_ms
        return now_ms - begun.t_ms if begun.epoch == self._spool.epoch else now_ms

    def since(self, now: Now) -> dict[str, Since]:
        """Return since when everything holds that holds now, by key."""
        return {key: self._since(entry, now) for key, entry in self._held().items()}

    def restarts(self) -> list[dict[str, object]]:
        """Return the last starts of machine and daemon, as docs/cli.md has them."""
        found = [entry for entry in self._spool.conditions.history() if entry.key in {BOOT, START}]
        return [
            {"utc_ms": entry.begin.utc_ms, "what": entry.key, "cause": entry.what}
            for entry in found[-RESTARTS_MOST:]
        ]

    def entries(self, since_utc_ms: int = 0, limit: int = ENTRIES) -> list[dict[str, object]]:
        """Return what was wrong and lasted until `since_utc_ms` or later, the newest last."""
        kept = [
            entry
            for entry in self._spool.conditions.history()
            if not entry.ended_before(since_utc_ms)
        ]
        return [entry.document() for entry in kept[-limit:]]

    def kept_from_utc_ms(self) -> int | None:
        """Return since when the log is complete; None where it always was, or nobody knows."""
        kept = self._spool.conditions.kept_from()
        return kept.utc_ms if kept else None

    def about(self, keys: set[str], limit: int) -> list[dict[str, object]]:
        """Return the entries with one of these keys, the newest last."""
        kept = [entry for entry in self._spool.conditions.history() if entry.key in keys]
        return [entry.document() for entry in kept[-limit:]]

    def _held(self) -> Mapping[str, Condition]:
        return {entry.key: entry for entry in self._spool.conditions.history() if entry.end is None}

    def _since(self, entry: Condition, now: Now) -> Since:
        """Where no clock tells how long the machine was off, only what is sure is said.

        An entry of the log that comes and goes began with the first time, not with this one.
        """
        begin, begun_ms = entry.begin, self._begun.get(entry.key)
        if begun_ms is not None:
            for_ms = now.boot_ms - begun_ms
            utc_ms = None if now.utc_ms is None else now.utc_ms - for_ms
            return Since(for_ms, utc_ms, entry.times)
        if begin.epoch == self._spool.epoch:
            return Since(max(0, now.boot_ms - begin.t_ms), begin.utc_ms, entry.times)
        if begin.utc_ms is not None and now.utc_ms is not None:
            for_ms = max(now.boot_ms, now.utc_ms - begin.utc_ms)
            return Since(for_ms, begin.utc_ms, entry.times)
        return Since(now.boot_ms, begin.utc_ms, entry.times)

    def _tell(self, code: EventCode, value: int | None, now_ms: int) -> None:
        self._spool.event(now_ms, None, Event(code, value=value))
