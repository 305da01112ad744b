"""One sensor: opened when needed, read in its slots, given up with backoff, told of when lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

from edgenode.clock import Clock
from edgenode.driver import Counting, Driver, Talker
from edgenode.errors import BusTimeout, DriverError, Reason
from edgenode.reading import Event, EventCode, Rung, Sample
from edgenode.sensing.board import Board
from edgenode.sensing.breaker import Breaker
from edgenode.sensing.counters import Counters
from edgenode.sensing.job import Job, Sink
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.lending import Lending
from edgenode.sensing.maintenance import Maintenance
from edgenode.sensing.pipeline import Pipeline
from edgenode.sensing.quality import nothing, refuse, unheard
from edgenode.sensing.record import Record
from edgenode.sensing.rungs import Rungs, Tally
from edgenode.sensing.schedule import Schedule, stamp
from edgenode.sensing.watch import Watch

OPEN_BUDGET_S = 5.0
CLOSE_BUDGET_S = 1.0
SILENT = frozenset({Reason.NO_ANSWER, Reason.TIMEOUT, Reason.BUS_STUCK})

State = Literal["unopened", "settling", "ok", "lost", "faulty"]
T = TypeVar("T")


class Failure(NamedTuple):
    """Why a call into a driver came to nothing, and when that was seen, in boot-time."""

    reason: Reason
    detail: str
    t_ms: int


class Runner:
    """Serves the slots of one sensor. Only the thread of its bus calls it; any may look at it.

    `free_until` tells the boot-time at which something on the bus is due next: a read is tried
    again only where nobody waits for it. `deafen` ends the waiting on the sensor's descriptor.
    """

    def __init__(
        self,
        job: Job,
        sink: Sink,
        clock: Clock,
        watch: Watch,
        lateness: Lateness,
        board: Board | None = None,
        maintenance: Maintenance | None = None,
        free_until: Callable[[], int] | None = None,
        deafen: Callable[[Runner], None] | None = None,
    ) -> None:
        self.job = job
        self.schedule = Schedule(job.every_ms, job.phase_ms, clock.boot_ms())
        self.breaker = Breaker()
        self.record = Record(len(job.group.channels))
        board = board or Board()
        self.pipeline = Pipeline(job.group, job.rules, job.every_ms, sink, board, clock)
        self._lending = Lending(job.rules.sources, board)
        self.failure = Failure(Reason.NO_ANSWER, job.lost, 0)  # why it is lost, where it is
        self.last_failure: Failure | None = None  # of whatever try, also one that was made good
        self.lost = bool(job.lost)
        self.reasons: dict[Reason, int] = {}
        self.retried, self.reopened = Tally(), Tally()
        self.reads = self.failures = self.opens = 0
        self.last_ok_ms: int | None = None
        self.tried_ms: int | None = None  # when the sensor was last asked for anything
        self.fastest_ms = 0  # as its driver says, once that was open
        self.settled_ms: int | None = None  # until when it settles, or settled; None: never open
        self._sink, self._clock, self._watch, self._lateness = sink, clock, watch, lateness
        self._maintenance = maintenance or Maintenance()
        self._free_until = free_until or (lambda: self.schedule.due_ms)
        self._deafen = deafen or (lambda _: None)
        self._counters = Counters(job.group, job.rules, sink)
        self._driver: Driver | None = None
        self._talker: Talker | None = None  # the same, where it is one: asking costs microseconds
        self._counting: Counting | None = None  # the same again
        self._served = self._settling = False
        self._stamped_ms = self._took_ms = self._pace_ms = 0
        self._read_ms = 0  # when the read began that gave the sample, or when it was tried in vain

    def serve(self, now_ms: int) -> None:
        """Serve the newest slot that is due: there is a row for it, whatever happens."""
        slot = self.schedule.take(now_ms)
        off_grid = not self._served and now_ms - slot > self.job.stamp_ms
        if self._served:  # the first read comes at once, not on time
            self._lateness.note(now_ms - slot)
        self._served = True
        self._read_ms = now_ms
        if self._driver is None and self.breaker.holds(slot):
            sample = nothing(len(self.job.group.channels), self.failure.reason)
        else:
            sample = self._tried(slot)
        if self._read_ms >= self.schedule.due_ms:  # opening took so long that slots went by
            slot = self.schedule.take(self._read_ms)
        t_ms = stamp(self._read_ms, slot, self.job.stamp_ms)
        if t_ms < self._stamped_ms:  # a read on demand came between the slot and now
            t_ms = self._read_ms
        self._keep(t_ms, sample, between_slots=off_grid)

    def demand(self, now_ms: int) -> None:
        """Read now, between the slots, also a sensor that is given up: somebody waits for it."""
        self._read_ms = now_ms
        sample = self._tried(None if self.lost else now_ms)
        self._keep(self._read_ms, sample, between_slots=True)

    def descriptor(self) -> int | None:
        """Return what to wait on where the sensor talks by itself and is open."""
        descriptor = self._talker.fileno() if self._talker else -1
        return None if descriptor < 0 else descriptor

    @property
    def pace_ms(self) -> int:
        """How often to feed a sensor that is open and has nothing to wait on; 0: never."""
        return self._pace_ms if self._talker else 0

    def feed(self, now_ms: int) -> None:
        """Let the sensor take in what it said, and make its totals current."""
        result = self._guarded(lambda: self._feed(now_ms))
        if isinstance(result, Failure):
            self._lose(result, now_ms)

    def close(self) -> None:
        """Leave the sensor quiet; the next slot would open it again."""
        driver, self._driver = self._driver, None
        self._talker = self._counting = None
        if driver is not None:
            self._deafen(self)  # epoll goes on with a closed descriptor whose line is kept open
            self._guarded(lambda: self._close(driver))

    def unopen(self) -> None:
        """Begin anew with the next slot: the bus has just been brought back."""
        self.close()
        self.breaker.hasten()

    @property
    def silent(self) -> bool:
        """Whether nothing answers, so that the whole bus may be at fault."""
        return self.lost and self.failure.reason in SILENT

    @property
    def answers(self) -> bool:
        """Whether something answered when it was last asked, be it nonsense."""
        return self.tried_ms is not None and not self.silent

    @property
    def rungs(self) -> Rungs:
        """What was tried to get this sensor back, one by one."""
        return {Rung.RETRY.word: self.retried, Rung.REOPEN.word: self.reopened}

    @property
    def state(self) -> State:
        """How the sensor is, in a word."""
        if self.lost:
            return "faulty" if self.failure.reason is Reason.DRIVER_DEFECT else "lost"
        if self.last_ok_ms is None:
            return "unopened"
        return "settling" if self._settling else "ok"

    def _keep(self, t_ms: int, sample: Sample, *, between_slots: bool) -> None:
        marked = self._maintenance.marked(sample)
        self._stamped_ms = t_ms
        self.record.note(t_ms, marked, self._took_ms)
        gid = self.job.group.gid
        if not (between_slots and self.job.slots_only):
            self._sink.append(gid, t_ms, marked)
            return
        for event in marked.events:  # whoever looks here may know the values; the city may not
            self._sink.event(t_ms, gid, event)

    def _tried(self, slot_ms: int | None) -> Sample:
        """Read, once more if that costs nobody anything; without a slot the breaker stays."""
        self.tried_ms = began_ms = self._clock.boot_ms()
        result = self._guarded(self._read)
        if isinstance(result, Failure):
            result = self._retried(result, began_ms)
        self._took_ms = self._clock.boot_ms() - began_ms
        if isinstance(result, Failure):
            self._lose(result, slot_ms)
            return nothing(len(self.job.group.channels), result.reason)
        if not (self.lost and unheard(result)):
            self._found(began_ms)
        return result

    def _retried(self, failure: Failure, began_ms: int) -> Sample | Failure:
        driver = self._driver
        if driver is None or failure.reason is Reason.DRIVER_DEFECT:
            return failure
        now_ms = self._clock.boot_ms()
        took_ms = now_ms - began_ms
        if 2 * took_ms > driver.budget_s * 1000 or now_ms + took_ms >= self._free_until():
            return failure
        self.retried.tried += 1
        result = self._guarded(self._read)
        if not isinstance(result, Failure):
            self.retried.helped += 1
        return result

    def _read(self) -> Sample:
        driver = self._driver or self._open()
        began_ms = self._clock.boot_ms()
        self._lending.lend(driver, began_ms)
        with self._watch.budget(self.job.group.gid, driver.budget_s):
            sample = driver.read(began_ms)
        self._heed(driver)
        took_ms = self._clock.boot_ms() - began_ms
        if took_ms > driver.budget_s * 1000:
            raise BusTimeout(f"the read took {took_ms} ms; its budget is {driver.budget_s} s")
        self._read_ms = began_ms  # opening may have taken seconds, and so may a try before
        self._settling = began_ms < (self.settled_ms or 0)
        counted = self._counters.told(sample, began_ms)
        return self.pipeline.passed(counted, began_ms, settling=self._settling)

    def _open(self) -> Driver:
        self.opens += 1
        if self.lost:
            self.reopened.tried += 1
        with self._watch.budget(self.job.group.gid, OPEN_BUDGET_S):
            driver = self.job.driver()
        now_ms = self._clock.boot_ms()
        self._driver = driver
        self._talker = driver if isinstance(driver, Talker) else None
        self._counting = driver if isinstance(driver, Counting) else None
        self.settled_ms = now_ms + int(driver.settle_s * 1000)
        self.fastest_ms = int(driver.fastest_s * 1000)
        self._pace_ms = int(driver.pace_s * 1000)
        self._counters.opened(driver, now_ms)
        self.pipeline.opened()
        return driver

    def _feed(self, now_ms: int) -> None:
        driver, talker, counting = self._driver, self._talker, self._counting
        if driver is None or talker is None:
            return
        self._lending.lend(driver, now_ms)
        with self._watch.budget(self.job.group.gid, driver.budget_s):
            events = talker.feed(now_ms)
        self._heed(driver)
        for event in events:
            refuse(event)
            self._sink.event(now_ms, self.job.group.gid, event)
        if counting is not None:
            self._counters.note(counting.counts(), now_ms)

    def _heed(self, driver: Driver) -> None:
        """Tell the clock what the part knows of the time."""
        if instant := driver.instant():
            self._clock.tell(instant)

    def _close(self, driver: Driver) -> None:
        with self._watch.budget(self.job.group.gid, CLOSE_BUDGET_S):
            driver.close()

    def _guarded(self, call: Callable[[], T]) -> T | Failure:
        try:
            return call()
        except DriverError as exc:
            reason, detail = exc.reason, str(exc)
        except Exception as exc:  # noqa: BLE001 - a defect in one driver must not end the daemon
            reason, detail = Reason.DRIVER_DEFECT, f"{type(exc).__name__}: {exc}"
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        self.last_failure = failure = Failure(reason, detail, self._clock.boot_ms())
        return failure

    def _found(self, now_ms: int) -> None:
        self.reads += 1
        self.last_ok_ms = now_ms
        self.breaker.close()
        if self.lost:
            self.lost = False
            self.reopened.helped += 1
            self._tell(EventCode.SENSOR_FOUND, None, now_ms)

    def _lose(self, failure: Failure, slot_ms: int | None) -> None:
        """Give the sensor up until the breaker lets it be tried; say so the first time."""
        self.failures += 1
        self.failure = failure
        self.close()
        if slot_ms is None:
            return
        self.breaker.fail(slot_ms)
        if not self.lost:
            self.lost = True
            self._tell(EventCode.SENSOR_LOST, int(failure.reason), slot_ms)

    def _tell(self, code: EventCode, value: int | None, now_ms: int) -> None:
        self._sink.event(now_ms, self.job.group.gid, Event(code, value=value))
