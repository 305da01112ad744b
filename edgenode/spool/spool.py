"""The spool: between the pollers that append and the uplink that sends stands the disk."""

from __future__ import annotations

import os
import sqlite3
import threading

from edgenode.clock import Clock, Timekeeper
from edgenode.errors import SpoolError
from edgenode.reading import (
    OF_THE_DISK,
    Event,
    EventCode,
    Groups,
    Sample,
    SpoolReason,
    Stream,
    Total,
)
from edgenode.spool.block import BLOCK
from edgenode.spool.core import JournalFull
from edgenode.spool.door import Door, event_to_row
from edgenode.spool.keeper import Keeper
from edgenode.spool.model import STREAMS, SpoolStats
from edgenode.spool.opening import Callbacks, Opened, Opener, short_hash, trouble_of
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox
from edgenode.spool.patience import Patience
from edgenode.spool.rate import Rate
from edgenode.spool.regroup import Doors, Regroup
from edgenode.spool.schedule import Schedule
from edgenode.spool.sealer import is_hasty
from edgenode.spool.statistics import statistics
from edgenode.spool.upkeep import DAMAGE, Upkeep
from edgenode.spool.window import Window, cost_of

LONGEST_WAIT_S = 1.0  # how soon `run` notices that it shall stop, when nobody wakes it
TAMPER_GAP_MS = 60_000  # a forged ack is alarmed at most this often


class Spool:
    """The sampling side, and the one thread that commits, seals and prunes.

    `append`, `event`, `set_total` and `total` may be called from any thread and never wait for
    the disk. `step` (or `run`) and `close` belong to the spool's own thread. What rides along in
    its transactions is here by name: `conditions`, `traffic`, and `unended`.
    """

    def __init__(self, options: SpoolOptions, groups: Groups, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.degraded = ""  # why, in words
        self.progress = 0
        self._doors: Doors = {gid: Door(group) for gid, group in groups.items()}
        self._regroup: Regroup | None = None  # what `step` is asked to do
        self._rate = Rate(clock.boot_ms())
        self._timekeeper = Timekeeper(clock)
        self._wake = threading.Event()
        self._closed, self._tamper_at = False, 0

    @classmethod
    def open(
        cls, options: SpoolOptions, node: bytes, groups: Groups, clock: Clock, board: str = ""
    ) -> Spool:
        """Open the spool of a directory, or begin one; salvages what is damaged.

        Raises SpoolError when another process uses the directory, and WireError when the groups
        cannot be described in a birth. A disk that cannot be written is no reason not to start.
        """
        spool = cls(options, groups, clock)
        callbacks = Callbacks(spool._alarm, spool.wake, spool._release)
        opener = Opener(options, node, groups, clock, short_hash(board), callbacks)
        spool._begin(opener.open())
        return spool

    def _begin(self, opened: Opened) -> None:
        self._core = core = opened.core
        self._lock_fd, self._left = opened.lock_fd, opened.left
        me = core.identity
        self.id, self.epoch, self.schema = me.spool, me.epoch, me.schema
        self.outbox: Outbox = core.outbox
        self.drains = [drain.outbox for drain in opened.drains]
        self._window = Window(core.unsealed.ends, self.wake)
        self._window.claim(sum(cost_of(run.rows) for run in core.unsealed))
        now = self.clock.boot_ms()
        self.traffic, self.conditions, self.unended = core.traffic, core.conditions, core.unended
        core.wear.begin(lambda: core.counts.blocks * BLOCK + core.counts.sealed_bytes)
        self._keepers = [Keeper(core, Schedule(self.options, core.identity, now), self._window)]
        for drain in opened.drains:
            schedule = Schedule(self.options, drain.identity, now, draining=True)
            self._keepers.append(Keeper(drain, schedule, Window([0] * len(STREAMS), self.wake)))
        self._upkeep = Upkeep([core, *opened.drains], self.options, self._tell, now)
        self.degraded = opened.degraded
        told = {one.value for one in self.unended.of_node(EventCode.SPOOL_DEGRADED)}
        self._patience = Patience(OF_THE_DISK & told)
        for trouble in opened.troubles:
            self._tell(trouble)

    # --- any thread ---

    @property
    def in_memory(self) -> bool:
        """Whether no disk could be used at the start, so that nothing outlives this process."""
        return self._core.path is None

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        """Take in a sample read at boot-time `t_ms`, and its events.

        Where memory is full the oldest uncommitted telemetry goes (loss ring-overflow). Raises
        SpoolError for an unknown group, a sample that does not fit its group, or a closed spool.
        """
        door = self._door(gid)
        self._window.append(door.group.stream, door.row(t_ms, sample), door)
        for event in sample.events:
            self.event(t_ms, gid, event)

    def _door(self, gid: int) -> Door:
        door = self._doors.get(gid)
        if self._closed or door is None:
            why = f"group {gid} is not among those it knows" if door is None else "it is closed"
            raise SpoolError(f"the spool takes no more of this: {why}")
        return door

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        """Take in an event at boot-time `t_ms`; alarms and marks wake the spool thread at once.

        Under maintenance nothing is an alarm. Raises SpoolError for an unknown group, which no
        birth would explain, or a closed spool.
        """
        if self._closed:
            raise SpoolError("the spool is closed")
        door = None if gid is None else self._door(gid)
        row = event_to_row(t_ms if event.t_ms is None else event.t_ms, gid, event)
        self._window.append(Stream.EVENTS, row, door, alarm=is_hasty(row))

    def next_seq(self, stream: Stream) -> int:
        """Return the least seq of what is sealed from now on."""
        return self._core.next_seqs[stream]

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        """Note the durable total of a counter; raises SpoolError beyond 64 channels."""
        self._core.totals.set(channel, Total(value, self.epoch, t_ms))

    def total(self, channel: str) -> Total | None:
        """Return the total as last set, or as recovered."""
        return self._core.totals.get(channel)

    def regroup(self, groups: Groups) -> None:
        """Go on with these groups; returns when that is durable, within some seconds.

        Groups that stay the same lose nothing meanwhile. One that is gone is refused from then on,
        and so is one that changed, until this returns. Raises SpoolError, or WireError for groups
        that cannot be described; then nothing has changed. Not for the spool's own thread.
        """
        if self._closed:
            raise SpoolError("the spool is closed")
        if groups == {gid: door.group for gid, door in self._doors.items()}:
            return
        request = self._regroup = Regroup(self._core.identity.node, groups)
        self.wake()
        request.wait()

    def wake(self) -> None:
        """Let `run` look now for what is due."""
        self._wake.set()

    def _alarm(self, event: Event) -> None:
        now = self.clock.boot_ms()
        if event.code == EventCode.TAMPER:
            if now < self._tamper_at:
                return
            self._tamper_at = now + TAMPER_GAP_MS
        if not self._closed:
            self.event(now, None, event)

    def _release(self, cost: int) -> None:
        self._window.release(cost)

    def _tell(self, trouble: SpoolReason) -> None:
        self._alarm(Event(EventCode.SPOOL_DEGRADED, value=int(trouble)))

    # --- the spool's thread ---

    def run(self, stop: threading.Event) -> None:
        """Step until `stop`; an alarm, many acks or `wake` interrupt the waiting."""
        while not stop.is_set():
            self._wake.clear()
            wait_s = (self.step() - self.clock.boot_ms()) / 1000
            self._wake.wait(min(max(wait_s, 0.0), LONGEST_WAIT_S))

    def step(self) -> int:
        """Do what is due; return the boot-time ms when it wants to be called next."""
        self.progress += 1
        now = self.clock.boot_ms()
        if self._regroup:
            self._change_groups(self._regroup, now)
        if now < self._patience.until_ms:
            return self._patience.until_ms
        try:
            self._upkeep.mend()
            if self._keepers[0].commit_due(now):
                self._observe_clock(now)
            for keeper in self._keepers:
                self._serve(keeper, now)
            later = self._upkeep.step(now)
        except (OSError, sqlite3.Error, JournalFull) as error:
            return self._degrade(error, now)
        self._well(now)
        return min(later, self._keepers[0].due_at())

    def _change_groups(self, request: Regroup, now: int) -> None:
        self._regroup = None
        self._doors = request.serve(self._doors, self._keepers[0], self._window, now)
        self.schema = self._core.identity.schema
        request.answer()

    def settle(self) -> None:
        """Write acks down now instead of with the next batch: where nothing is sampled."""
        try:
            for keeper in self._keepers:
                keeper.settle(self.clock.boot_ms())
        except (OSError, sqlite3.Error, JournalFull) as error:
            self._degrade(error, self.clock.boot_ms())

    def _serve(self, keeper: Keeper, now: int) -> None:
        try:
            keeper.step(now)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
                keeper.core.outbox.suspect = True
            raise

    def _observe_clock(self, now: int) -> None:
        anchor, stepped_ms = self._timekeeper.observe()
        if anchor:
            self._core.times.note(self.epoch, anchor)
        if stepped_ms:
            self.event(now, None, Event(EventCode.CLOCK_STEPPED, value=stepped_ms))
        self._core.conditions.resolve(now, self._core.times.utc_at)
        self._rate.note(now, self._core.counts.sealed_bytes)

    def _degrade(self, error: Exception, now: int) -> int:
        """Keep sampling into memory and try again, ever more rarely."""
        trouble = trouble_of(error)
        if self._patience.refused(trouble, now):
            self._tell(trouble)
        self.degraded = (
            f"samples wait in memory: {error}; make room on the disk under "
            f"{self.options.directory}, or replace it"
        )
        return self._patience.until_ms

    def _well(self, now: int) -> None:
        if self._patience.tried:
            self.degraded = ""
        for reason in self._patience.well():
            self.event(now, None, Event(EventCode.SPOOL_RECOVERED, value=reason))

    def close(self) -> None:
        """Seal and commit what is there; then nothing more is accepted.

        A disk that refuses now costs what no commit covered. A store that was grown stays open
        until the process ends, which shall be by os._exit.
        """
        if self._closed:
            return
        self._closed = True
        now = self.clock.boot_ms()
        try:
            for keeper in self._keepers:
                keeper.finish(now)
        except (OSError, sqlite3.Error, JournalFull) as error:
            self.degraded = f"the last samples could not be kept: {error}"
        for keeper in self._keepers:
            keeper.core.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)

    def stats(self) -> SpoolStats:
        """Return the figures for `status`; waits for the store's lock."""
        return statistics(
            [keeper.core for keeper in self._keepers],
            self._window,
            self.options,
            self._rate,
            self.clock.boot_ms(),
            progress=self.progress,
            degraded=self.degraded,
            left=self._left,
        )
