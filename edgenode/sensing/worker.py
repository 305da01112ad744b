"""One thread per bus: it serves the slots of its sensors and listens to those that talk."""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from edgenode.clock import Clock
from edgenode.sensing.job import Job, Sink
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner, SensorStats
from edgenode.sensing.watch import Watch

WAIT_MOST_MS = 1_000  # so that `stop` is seen even by a worker that nobody wakes
REST_MS = 20  # a sensor that has just spoken is not heard for so long: 50 wake-ups/s at most


@dataclass(frozen=True, slots=True)
class WorkerStats:
    """How one bus is doing, for status and for the watchdog."""

    bus: str
    stuck: bool  # a call into a driver is past its budget right now
    times_stuck: int
    lateness_ms_p50: int
    lateness_ms_p99: int
    sensors: tuple[SensorStats, ...]


class BusWorker(threading.Thread):
    """Reads every sensor of one bus; a bus is one shared wire, so drivers need no locks.

    A daemon thread: one that sits in an uninterruptible read must not keep the process alive.
    `check` is for another thread to call, at least once a second. To end the worker, set `stop`
    and call `wake`.
    """

    def __init__(
        self, name: str, jobs: Sequence[Job], sink: Sink, clock: Clock, stop: threading.Event
    ) -> None:
        super().__init__(name=f"bus-{name}", daemon=True)
        self.bus = name
        self.progress = 0
        self._clock, self._halt = clock, stop
        self._watch = Watch(sink, clock)
        self.lateness = Lateness()
        self._runners = [Runner(job, sink, clock, self._watch, self.lateness) for job in jobs]
        self._heard: dict[Runner, int] = {}  # descriptors in the selector
        self._rests: dict[Runner, int] = {}  # boot-time at which each is heard again
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_fd, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until `stop` is set, then leave every sensor quiet."""
        while not self._halt.is_set():
            due_ms = self.turn()
            self.listen(due_ms)
        for runner in self._runners:
            self._deafen(runner)
            runner.close()
        self._selector.close()  # the wake-up descriptor stays: others may call `wake` at any time

    def turn(self) -> int:
        """Serve what is due; return the boot-time at which something is due next."""
        self.progress += 1
        for runner in sorted(self._runners, key=_due):
            now_ms = self._clock.boot_ms()
            if runner.schedule.due_ms <= now_ms:
                runner.serve(now_ms)
                self._hear(runner, now_ms)
        return min(map(_due, self._runners), default=self._clock.boot_ms() + WAIT_MOST_MS)

    def listen(self, until_ms: int) -> None:
        """Wait for `until_ms`, a wake-up or a sensor that speaks, and take in what it says."""
        now_ms = self._clock.boot_ms()
        for runner, rested_ms in list(self._rests.items()):
            if rested_ms <= now_ms:
                self._hear(runner, now_ms)
        until_ms = min(until_ms, *self._rests.values(), now_ms + WAIT_MOST_MS)
        for key, _ in self._selector.select(max(0, until_ms - now_ms) / 1000):
            if key.data is None:
                os.eventfd_read(self._wake_fd)
            else:
                self._feed(key.data)

    def wake(self) -> None:
        """End the wait that the worker is in; any thread may call it."""
        os.eventfd_write(self._wake_fd, 1)

    def check(self) -> bool:
        """Return whether the bus is stuck, and report it once; any other thread may call it."""
        return self._watch.check()

    def stats(self) -> WorkerStats:
        """Return how the bus and its sensors are doing; any thread may ask."""
        return WorkerStats(
            bus=self.bus,
            stuck=self._watch.check(),
            times_stuck=self._watch.times_stuck,
            lateness_ms_p50=self.lateness.quantile(0.50),
            lateness_ms_p99=self.lateness.quantile(0.99),
            sensors=tuple(runner.stats() for runner in self._runners),
        )

    def _feed(self, runner: Runner) -> None:
        now_ms = self._clock.boot_ms()
        self._deafen(runner)
        runner.feed(now_ms)
        self._rests[runner] = now_ms + REST_MS

    def _hear(self, runner: Runner, now_ms: int) -> None:
        """Wait on the descriptor that the sensor has now, unless it is resting."""
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
