"""What one core has due, step by step: commit, seal, make sendable, write down acks."""

from __future__ import annotations

from edgenode.spool.core import Core, JournalFull
from edgenode.spool.journal import MAX_PAYLOAD
from edgenode.spool.model import STREAMS
from edgenode.spool.outbox import FLUSH_AT
from edgenode.spool.rows import Segment
from edgenode.spool.schedule import ALARM_GAP_MS, Schedule
from edgenode.spool.unsealed import Run
from edgenode.spool.window import Window


class Keeper:
    """Serves one core. Where OSError, sqlite3.Error or JournalFull go up, nothing is lost."""

    def __init__(self, core: Core, schedule: Schedule, window: Window) -> None:
        self.core = core
        self.window = window
        self.schedule = schedule
        self._totals = core.totals.version

    def due_at(self) -> int:
        """Return the boot-time ms when `step` has something to do, if nothing happens."""
        times = [self.schedule.commit_at]
        if self.window.alarmed:
            times.append(self.schedule.alarm_at)
        return min(times)

    def commit_due(self, now: int) -> bool:
        """Tell whether the interval is over, or the very first samples wait."""
        first = not self.core.counts.sampled and self.window.sampled()
        return first or now >= self.schedule.commit_at

    def step(self, now: int) -> None:
        """Do what is due. What is sealed goes out only behind the commit that follows it."""
        if self.window.alarmed and now >= self.schedule.alarm_at:
            self._rush_alarms(now)
        self.seal(now)
        if self.commit_due(now):
            self.commit(now)
            self.schedule.committed(now)
        if self.core.unannounced():
            self.commit(now)
        waiting = self.core.outbox.acks_waiting()
        due = waiting > FLUSH_AT or self.schedule.settle_due(waiting + self.core.noted, now)
        due = due or self.core.conditions.urgent(now)
        if due or self.core.outbox.asked or not self.core.introduced:
            self.core.seal((), (), now)
            self.schedule.settled(now)

    def _rush_alarms(self, now: int) -> None:
        self.window.alarmed = False
        self.schedule.alarm_at = now + ALARM_GAP_MS
        try:
            self.commit(now)
            self.seal(now, alarm=True)
        except BaseException:
            self.window.alarmed = True
            raise

    def commit(self, now: int) -> None:
        """Make everything that waits durable; an empty commit where there is only news to tell."""
        wrote = False
        version = self.core.totals.version
        while segments := self.window.take(MAX_PAYLOAD):
            try:
                self._commit_some(segments, now)
            except BaseException:
                self.window.restore(segments)
                raise
            wrote = True
        if not wrote and (self.core.unannounced() or version != self._totals):
            self.core.commit((), now)
        self._totals = version

    def _commit_some(self, segments: tuple[Segment, ...], now: int) -> None:
        try:
            self.core.commit(segments, now)
        except JournalFull:
            self.seal_everything(now)
            self.core.commit(segments, now)

    def seal(self, now: int, *, alarm: bool = False) -> None:
        """Seal every run that is due, until none is."""
        core = self.core
        online = core.outbox.online and not core.outbox.sparing
        while runs := self.schedule.due(core.unsealed, now, online=online, alarm=alarm):
            self._seal(runs, self._silent(now), now)
        if silent := self._silent(now):
            self._seal([], silent, now)

    def seal_everything(self, now: int) -> None:
        """Seal all that is committed."""
        while fronts := [runs[0] for runs in self.core.unsealed.runs.values() if runs]:
            self._seal(fronts, [], now)

    def finish(self, now: int) -> None:
        """Commit and seal everything, write down the acks, and make it sendable."""
        self.commit(now)
        self.seal_everything(now)
        self.settle(now)
        self.commit(now)

    def adopt(self, schema: bytes) -> None:
        """Go on under another schema, whose birth is durable."""
        self.core.adopt(schema)
        self.schedule.identity = self.core.identity

    def settle(self, now: int) -> None:
        """Write down the acks that wait, with no batch to ride with."""
        left = self.core.outbox.acks_waiting()
        while left:
            self.core.seal((), (), now)
            before, left = left, self.core.outbox.acks_waiting()
            if left >= before:
                return

    def _seal(self, runs: list[Run], empty: list[int], now: int) -> None:
        self.core.seal(runs, empty, now)
        self.schedule.sealed({run.stream for run in runs} | set(empty), now)
        self.schedule.settled(now)

    def _silent(self, now: int) -> list[int]:
        """Return the streams with losses to tell and, for a window, no batch to carry them."""
        core = self.core
        return [
            stream
            for stream in STREAMS
            if core.ledger.uncarried(stream)
            and not core.unsealed.runs[stream]
            and self.schedule.silent(stream, now)
        ]
