"""One sensor: opened when needed, read in its slots, given up with backoff, told of when lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from edgenode.clock import Clock
from edgenode.driver import Counting, Driver, Talker
from edgenode.errors import BusTimeout, DriverError, Reason
from edgenode.reading import Event, EventCode, Sample
from edgenode.sensing.job import Job, Sink
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.quality import judged, limits, nothing
from edgenode.sensing.schedule import Schedule, stamp
from edgenode.sensing.totals import Totals
from edgenode.sensing.watch import Watch

OPEN_BUDGET_S = 5.0
CLOSE_BUDGET_S = 1.0
BACKOFF_FIRST_MS = 1_000
BACKOFF_MOST_MS = 60_000

State = Literal["unopened", "settling", "ok", "lost", "faulty"]
T = TypeVar("T")


class Failure(NamedTuple):
    """Why a call into a driver came to nothing."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class SensorStats:
    """How one sensor is doing, for status."""

    sensor: str
    state: State
    reason: int | None  # errors.Reason of the last failure while lost or faulty
    detail: str  # the same in words
    reads: int
    failures: int
    missed: int  # slots that passed while the bus was busy
    opens: int
    last_ok_ms: int | None  # boot-time of the last good read


class Runner:
    """Serves the slots of one sensor. Only the thread of its bus calls it, `stats` aside."""

    def __init__(
        self, job: Job, sink: Sink, clock: Clock, watch: Watch, lateness: Lateness
    ) -> None:
        self.job = job
        self.schedule = Schedule(job.every_ms, job.phase_ms, clock.boot_ms())
        self._sink, self._clock, self._watch, self._lateness = sink, clock, watch, lateness
        self._limits = limits(job.group.channels)
        self._totals = Totals(job.group, sink)
        self._driver: Driver | None = None
        self._served = self._lost = self._settling = False
        self._failure = Failure(Reason.NO_ANSWER, "")
        self._settled_ms = 0
        self._retry_ms = 0
        self._backoff_ms = BACKOFF_FIRST_MS
        self._reads = self._failures = self._opens = 0
        self._last_ok_ms: int | None = None

    def serve(self, now_ms: int) -> None:
        """Serve the newest slot that is due: there is a row for it, whatever happens."""
        slot = self.schedule.take(now_ms)
        if self._served:  # the first read comes at once, not on time
            self._lateness.note(now_ms - slot)
        self._served = True
        sample = self._sample(now_ms, slot)
        self._sink.append(self.job.group.gid, stamp(now_ms, slot, self.job.stamp_ms), sample)

    def descriptor(self) -> int | None:
        """Return what to wait on where the sensor talks by itself and is open."""
        return self._driver.fileno() if isinstance(self._driver, Talker) else None

    def feed(self, now_ms: int) -> None:
        """Let the sensor take in what it said, and make its totals current."""
        result = self._guarded(lambda: self._feed(now_ms))
        if isinstance(result, Failure):
            self._lose(result, now_ms)

    def close(self) -> None:
        """Leave the sensor quiet; the next slot would open it again."""
        driver, self._driver = self._driver, None
        if driver is not None:
            self._guarded(lambda: self._close(driver))

    def stats(self) -> SensorStats:
        """Return how the sensor is doing; any thread may ask."""
        lost, failure = self._lost, self._failure
        return SensorStats(
            sensor=self.job.sensor,
            state=self._state(),
            reason=int(failure.reason) if lost else None,
            detail=failure.detail if lost else "",
            reads=self._reads,
            failures=self._failures,
            missed=self.schedule.missed,
            opens=self._opens,
            last_ok_ms=self._last_ok_ms,
        )

    def _state(self) -> State:
        if self._lost:
            return "faulty" if self._failure.reason is Reason.DRIVER_DEFECT else "lost"
        if self._last_ok_ms is None:
            return "unopened"
        return "settling" if self._settling else "ok"

    def _sample(self, now_ms: int, slot_ms: int) -> Sample:
        if self._driver is None and slot_ms < self._retry_ms:
            return nothing(len(self._limits), self._failure.reason)
        result = self._guarded(self._read)
        if isinstance(result, Failure):
            self._lose(result, slot_ms)
            return nothing(len(self._limits), result.reason)
        self._found(now_ms)
        return result

    def _read(self) -> Sample:
        driver = self._driver or self._open()
        began_ms = self._clock.boot_ms()
        with self._watch.budget(self.job.group.gid, driver.budget_s):
            sample = driver.read(began_ms)
        took_ms = self._clock.boot_ms() - began_ms
        if took_ms > driver.budget_s * 1000:
            raise BusTimeout(f"the read took {took_ms} ms; its budget is {driver.budget_s} s")
        self._settling = began_ms < self._settled_ms
        lifted = self._totals.lifted(sample, began_ms)
        return judged(lifted, self._limits, settling=self._settling)

    def _open(self) -> Driver:
        self._opens += 1
        with self._watch.budget(self.job.group.gid, OPEN_BUDGET_S):
            driver = self.job.driver()
        now_ms = self._clock.boot_ms()
        self._driver = driver
        self._settled_ms = now_ms + int(driver.settle_s * 1000)
        self._totals.opened(driver, now_ms)
        return driver

    def _feed(self, now_ms: int) -> None:
        driver = self._driver
        if driver is None or not isinstance(driver, Talker):
            return
        with self._watch.budget(self.job.group.gid, driver.budget_s):
            events = driver.feed(now_ms)
        for event in events:
            self._sink.event(now_ms, self.job.group.gid, event)
        if isinstance(driver, Counting):
            self._totals.note(driver.counts(), now_ms)

    def _close(self, driver: Driver) -> None:
        with self._watch.budget(self.job.group.gid, CLOSE_BUDGET_S):
            driver.close()

    def _guarded(self, call: Callable[[], T]) -> T | Failure:
        try:
            return call()
        except DriverError as exc:
            return Failure(exc.reason, str(exc))
        except Exception as exc:  # noqa: BLE001 - a defect in one driver must not end the daemon
            return Failure(Reason.DRIVER_DEFECT, f"{type(exc).__name__}: {exc}")

    def _found(self, now_ms: int) -> None:
        self._reads += 1
        self._last_ok_ms = now_ms
        self._backoff_ms = BACKOFF_FIRST_MS
        if self._lost:
            self._lost = False
            self._tell(EventCode.SENSOR_FOUND, None, now_ms)

    def _lose(self, failure: Failure, now_ms: int) -> None:
        """Give the sensor up until the backoff has passed; say so the first time."""
        self._failures += 1
        self._failure = failure
        self.close()
        self._retry_ms = now_ms + self._backoff_ms
        self._backoff_ms = min(self._backoff_ms * 2, BACKOFF_MOST_MS)
        if not self._lost:
            self._lost = True
            self._tell(EventCode.SENSOR_LOST, int(failure.reason), now_ms)

    def _tell(self, code: EventCode, value: int | None, now_ms: int) -> None:
        self._sink.event(now_ms, self.job.group.gid, Event(code, value=value))
