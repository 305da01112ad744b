"""One thread per bus: it serves the slots of its sensors and listens to those that talk."""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Sequence

from edgenode.bus.levers import Levers
from edgenode.clock import Clock
from edgenode.errors import NodeError
from edgenode.sensing.board import Board
from edgenode.sensing.demand import Answer, Desk
from edgenode.sensing.job import Job, Sink
from edgenode.sensing.ladder import Ladder
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.maintenance import MaintainedSink, Maintenance
from edgenode.sensing.rungs import Since, added
from edgenode.sensing.runner import Runner
from edgenode.sensing.stats import Evidence, WorkerStats, evidence, place, sensor_stats
from edgenode.sensing.watch import Watch

WAIT_MOST_MS = 1_000  # so that `stop` is seen even by a worker that nobody wakes
REST_MS = 20  # a sensor that has just spoken is not heard for so long: 50 wake-ups/s at most


class BusWorker(threading.Thread):
    """Reads every sensor of one bus; a bus is one shared wire, so drivers need no locks.

    A daemon thread: one that sits in an uninterruptible read must not keep the process alive.
    `check` and `relieve` are for another thread to call, at least once a second. To end the
    worker, set `stop` and call `wake`. `board` and `maintenance` are shared by all workers of a
    node; construct those of one board before any of them starts. `since_stuck` is what was done
    since an earlier worker told that the bus is stuck, where nobody told yet that it came back.
    """

    def __init__(
        self,
        name: str,
        jobs: Sequence[Job],
        sink: Sink,
        clock: Clock,
        stop: threading.Event,
        *,
        levers: Levers | None = None,
        board: Board | None = None,
        maintenance: Maintenance | None = None,
        since_stuck: Since | None = None,
    ) -> None:
        super().__init__(name=f"bus-{name}", daemon=True)
        self._waking = threading.Lock()
        self._wake_fd: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.bus = name
        self.progress = 0
        self._clock, self._halt = clock, stop
        board, maintenance = board or Board(), maintenance or Maintenance()
        sink = MaintainedSink(sink, maintenance)
        self._watch = Watch(sink, clock)
        self.lateness = Lateness()
        common = (sink, clock, self._watch, self.lateness, board, maintenance)
        self._runners = [Runner(job, *common, self._due_ms, self._deafen) for job in jobs]
        self._ladder = Ladder(levers or Levers(), sink, clock, self._watch, stop.wait, since_stuck)
        self._desk = Desk(self._runners, clock, self._watch, self.wake)
        self._heard: dict[Runner, int] = {}  # descriptors in the selector
        self._rests: dict[Runner, int] = {}  # boot-time at which each is heard again
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_fd, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until `stop` is set, then leave every sensor quiet."""
        if self._runners:
            self._ladder.begin(self._runners[0].job.group.gid)
        while not self._halt.is_set():
            due_ms = self.turn()
            self.listen(due_ms)
        for runner in self._runners:
            runner.close()
        self._ladder.end()
        self._selector.close()
        self._close_wake()

    def turn(self) -> int:
        """Serve what is due; return the boot-time at which something is due next."""
        self.progress += 1
        for runner in sorted(self._runners, key=_due):
            now_ms = self._clock.boot_ms()
            if runner.schedule.due_ms <= now_ms:
                runner.serve(now_ms)
                self._hear(runner, now_ms)
        asked = self._desk.serve(self._due_ms()) or self._ask_witness()
        if asked:
            self._hear(asked, self._clock.boot_ms())
        if self._ladder.look(self._runners):
            self._begin_anew()
        return self._due_ms()

    def listen(self, until_ms: int) -> None:
        """Wait for `until_ms`, a wake-up or a sensor that speaks, and take in what it says."""
        now_ms = self._clock.boot_ms()
        for runner, rested_ms in list(self._rests.items()):
            if rested_ms <= now_ms and runner.pace_ms:
                self._pace(runner, rested_ms)
            elif rested_ms <= now_ms:
                self._hear(runner, now_ms)
        until_ms = min(until_ms, *self._rests.values(), now_ms + WAIT_MOST_MS)
        for key, _ in self._selector.select(max(0, until_ms - now_ms) / 1000):
            if key.data is None:
                os.eventfd_read(key.fd)
            else:
                self._feed(key.data)

    def wake(self) -> None:
        """End the wait that the worker is in; any thread may call it, also after its end."""
        with self._waking:
            if self._wake_fd is not None:
                os.eventfd_write(self._wake_fd, 1)

    def __del__(self) -> None:
        self._close_wake()  # of one that was never started, or hangs

    def _close_wake(self) -> None:
        with self._waking:  # whoever wakes us meanwhile shall not write into another's file
            fd, self._wake_fd = self._wake_fd, None
        if fd is not None:
            os.close(fd)

    def check(self) -> bool:
        """Return whether the bus is stuck, and report it once; any other thread may call it."""
        return self._watch.check()

    def relieve(self) -> bool:
        """Switch a bus whose thread has hung for a minute off and on, where that can be done.

        Returns whether it was begun; it goes on in a thread of its own. For another thread.
        """
        return self._ladder.relieve()

    def ask(self, sensor: str, timeout_s: float) -> Answer:
        """Read a sensor between its slots; any other thread may ask, one at a time a bus.

        The sample is kept like any other. Where the part may not be read again so soon, its
        newest sample is returned with its age. Raises NodeError with what to do next.
        """
        return self._desk.ask(sensor, timeout_s)

    def evidence(self, channel: str) -> Evidence:
        """Return what is known about `<sensor>/<quantity>`; any thread may ask.

        Raises NodeError for a channel that is not of this bus.
        """
        for runner in self._runners:
            n = place(runner, channel)
            if n is not None:
                return evidence(runner, n, self.bus, self._clock.boot_ms())
        raise NodeError(f"no channel {channel} on bus {self.bus}")

    def channels(self) -> tuple[Evidence, ...]:
        """Return what is known about every channel of the bus; any thread may ask."""
        now_ms = self._clock.boot_ms()
        return tuple(
            evidence(runner, n, self.bus, now_ms)
            for runner in self._runners
            for n in range(len(runner.job.group.channels))
        )

    def stats(self) -> WorkerStats:
        """Return how the bus and its sensors are doing; any thread may ask."""
        now_ms = self._clock.boot_ms()
        return WorkerStats(
            bus=self.bus,
            stuck=self._watch.check(),
            times_stuck=self._watch.times_stuck,
            lateness_ms_p50=self.lateness.quantile(0.50),
            lateness_ms_p99=self.lateness.quantile(0.99),
            sensors=tuple(sensor_stats(runner, now_ms) for runner in self._runners),
            stuck_since_ms=self._watch.stuck_since_ms,
            silent_since_ms=self._ladder.silent_since_ms,
            rungs=added([*(runner.rungs for runner in self._runners), self._ladder.rungs]),
            levers=self._ladder.stats(),
            held=self._watch.held is not None,
            told_of=self._sensor(self._watch.told),
        )

    def _sensor(self, gid: int | None) -> str:
        jobs = (runner.job for runner in self._runners)
        return next((job.sensor for job in jobs if job.group.gid == gid), "")

    def _ask_witness(self) -> Runner | None:
        """Ask a sensor whose slot is far off, where what it says decides about the whole bus."""
        now_ms = self._clock.boot_ms()
        runner = self._ladder.witness(self._runners)
        if runner is None or self._due_ms() <= now_ms:
            return None
        runner.demand(now_ms)
        return runner

    def _begin_anew(self) -> None:
        """Close every sensor, and begin with it anew."""
        for runner in self._runners:
            self._rests.pop(runner, None)
            runner.unopen()

    def _due_ms(self) -> int:
        """Return the boot-time at which the next slot of any sensor is due."""
        return min(map(_due, self._runners), default=self._clock.boot_ms() + WAIT_MOST_MS)

    def _feed(self, runner: Runner) -> None:
        now_ms = self._clock.boot_ms()
        self._deafen(runner)
        runner.feed(now_ms)
        self._rests[runner] = now_ms + REST_MS

    def _pace(self, runner: Runner, due_ms: int) -> None:
        """Feed a sensor whose time has come, and set its next; what was missed is skipped."""
        now_ms = self._clock.boot_ms()
        runner.feed(now_ms)
        behind_ms = (now_ms - due_ms) % runner.pace_ms if runner.pace_ms else 0
        self._rests[runner] = now_ms - behind_ms + runner.pace_ms

    def _hear(self, runner: Runner, now_ms: int) -> None:
        """Wait on the descriptor that the sensor has now, unless it rests or has a pace."""
        if runner.pace_ms:
            self._rests.setdefault(runner, now_ms + runner.pace_ms)
            return
        if self._rests.get(runner, 0) > now_ms:
            return
        self._rests.pop(runner, None)
        descriptor = runner.descriptor()
        if descriptor == self._heard.get(runner):
            return
        self._deafen(runner)
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, runner)
            self._heard[runner] = descriptor

    def _deafen(self, runner: Runner) -> None:
        descriptor = self._heard.pop(runner, None)
        if descriptor is not None:
            self._selector.unregister(descriptor)


def _due(runner: Runner) -> int:
    return runner.schedule.due_ms
