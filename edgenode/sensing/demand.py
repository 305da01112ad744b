"""Reading a sensor because somebody asks, between the slots of its bus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgenode.clock import Clock
from edgenode.errors import NodeError
from edgenode.reading import Quality
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch

LOOK_S: Final = 0.1  # how often somebody who waits looks whether the bus hangs
WAIT_MOST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample, as it was kept: each value with its quality, None where there is no number."""

    sensor: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    values: tuple[float | None, ...]
    quality: tuple[int, ...]
    t_ms: int  # boot-time that it is stamped with
    age_ms: int
    took_ms: int  # from asking the sensor until it had answered
    fresh: bool  # read for this question; else the part may not be asked so often
    detail: str  # why there are no numbers; "" where the sensor is served


class Request:
    """A question that waits for the thread of its bus."""

    def __init__(self, runner: Runner, asked_ms: int) -> None:
        self.runner, self.asked_ms = runner, asked_ms
        self.answer: Answer | None = None
        self.done = threading.Event()


class Desk:
    """Takes one question at a time; the bus thread answers it by `serve`."""

    def __init__(
        self, runners: Sequence[Runner], clock: Clock, watch: Watch, wake: Callable[[], None]
    ) -> None:
        self._runners, self._clock, self._watch, self._wake = runners, clock, watch, wake
        self._lock = threading.Lock()
        self._request: Request | None = None

    def ask(self, sensor: str, timeout_s: float) -> Answer:
        """Return a sample not older than the question, or than the part allows.

        Raises NodeError with what to do next: an unknown sensor, a bus that is stuck or busy.
        """
        runner = self._runner(sensor)
        self._refuse_stuck()
        now_ms = self._clock.boot_ms()
        if runner.tried_ms is not None and now_ms - runner.tried_ms < runner.fastest_ms:
            answer = _answer(runner, now_ms, fresh=False)
            if answer:
                return answer
        request = Request(runner, now_ms)
        with self._lock:
            if self._request is not None:
                raise NodeError(f"another read of this bus is waiting; ask for {sensor} again")
            self._request = request
        try:
            self._wake()
            return self._awaited(request, min(timeout_s, WAIT_MOST_S))
        finally:
            with self._lock:
                self._request = None

    def serve(self, due_ms: int) -> Runner | None:
        """Answer the question that waits, unless a slot is due; return which sensor was read."""
        request = self._request
        if request is None or request.done.is_set():
            return None
        runner, now_ms = request.runner, self._clock.boot_ms()
        read = None
        if (runner.tried_ms or 0) < request.asked_ms or runner.record.newest is None:
            if due_ms <= now_ms:
                return None
            soon = runner.schedule.due_ms - now_ms < runner.fastest_ms
            if soon and not runner.lost:  # its slot brings the answer
                return None
            runner.demand(now_ms)
            read = runner
        request.answer = _answer(runner, self._clock.boot_ms(), fresh=True)
        request.done.set()
        return read

    def _runner(self, sensor: str) -> Runner:
        for runner in self._runners:
            if runner.job.sensor == sensor:
                return runner
        known = ", ".join(runner.job.sensor for runner in self._runners)
        raise NodeError(f"no sensor {sensor} on this bus; there are: {known}")

    def _refuse_stuck(self) -> None:
        since_ms = self._watch.stuck_since_ms
        if since_ms is not None:
            for_s = (self._clock.boot_ms() - since_ms) // 1000
            raise NodeError(
                f"the bus is stuck for {for_s} s: a call does not return; see edgenode status"
            )

    def _awaited(self, request: Request, timeout_s: float) -> Answer:
        until = time.monotonic() + timeout_s
        while not request.done.wait(max(0.0, min(LOOK_S, until - time.monotonic()))):
            self._refuse_stuck()
            if time.monotonic() >= until:
                raise NodeError(f"no answer within {timeout_s:g} s: the bus is busy; ask again")
        if request.answer is None:
            raise NodeError(f"{request.runner.job.sensor} has no sample yet; ask again")
        return request.answer


def _answer(runner: Runner, now_ms: int, *, fresh: bool) -> Answer | None:
    newest = runner.record.newest
    if newest is None:
        return None
    channels, sample = runner.job.group.channels, newest.sample
    quality = sample.quality or (Quality.OK,) * len(channels)
    return Answer(
        sensor=runner.job.sensor,
        channels=tuple(channel.name for channel in channels),
        units=tuple(channel.unit for channel in channels),
        values=sample.values,
        quality=tuple(int(q) for q in quality),
        t_ms=newest.t_ms,
        age_ms=max(0, now_ms - newest.t_ms),
        took_ms=newest.took_ms,
        fresh=fresh,
        detail=runner.failure.detail if runner.lost else "",
    )
