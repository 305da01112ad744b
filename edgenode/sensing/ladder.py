"""What is done for a bus of which no sensor answers: nine clocks, its power, its USB port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from edgenode.bus.levers import Levers, Outcome
from edgenode.clock import Clock
from edgenode.errors import Reason
from edgenode.reading import Event, EventCode, Rung
from edgenode.sensing.job import Sink
from edgenode.sensing.rungs import Rungs, Since, Tally
from edgenode.sensing.runner import Runner
from edgenode.sensing.stats import LeverStats
from edgenode.sensing.watch import Watch
from edgenode.sensing.witness import Witnesses

GRACE_MS: Final = 10_000  # between rungs, so that each can show whether it helped
HUNG_MS: Final = 60_000  # a call that hangs for so long will not come back by itself
AGAIN_FIRST_MS: Final = 600_000  # between uses of one lever; it doubles up to
AGAIN_MOST_MS: Final = 6 * 3_600_000
LEVER_BUDGET_S: Final = 10.0
SUPPLY_AGAIN_MS: Final = 60_000  # between tries of a power pin that cannot be had
POWERS: Final = frozenset({"power", "usb"})

Sleep = Callable[[float], object]


class Lever:
    """One lever with its count and the time before which it is not used again."""

    def __init__(self, name: str, rung: Rung, use: Callable[[Sleep], Outcome]) -> None:
        self.name, self.rung = name, rung
        self._use = use
        self.tally = Tally()
        self._failed = 0
        self._last, self._last_ms = "", 0
        self.usable = True
        self._again_ms, self._next_ms = AGAIN_FIRST_MS, 0

    def ready(self, now_ms: int) -> bool:
        """Return whether it may be used at boot-time `now_ms`."""
        return now_ms >= self._next_ms

    def pull(self, sleep: Sleep, now_ms: int) -> bool:
        """Use it; return whether that could be done."""
        if now_ms - self._next_ms > AGAIN_MOST_MS:  # the bus was well for long
            self._again_ms = AGAIN_FIRST_MS
        self.tally.tried += 1
        self._last_ms, self._next_ms = now_ms, now_ms + self._again_ms
        self._again_ms = min(2 * self._again_ms, AGAIN_MOST_MS)
        try:
            outcome = self._use(sleep)
        except Exception as exc:  # noqa: BLE001 - a lever that breaks must not take the bus along
            outcome = Outcome(done=False, words=f"{type(exc).__name__}: {exc}", usable=False)
        self.note(outcome)
        return outcome.done

    def note(self, outcome: Outcome) -> None:
        """Remember what came of it."""
        self._failed += not outcome.done
        self._last, self.usable = outcome.words, outcome.usable

    def stats(self) -> LeverStats:
        """Return how it is doing."""
        tally, used = self.tally, self.tally.tried > 0
        return LeverStats(
            name=self.name,
            tried=tally.tried,
            helped=tally.helped,
            failed=self._failed,
            last=self._last,
            last_ms=self._last_ms if used else None,
            next_ms=self._next_ms,
            usable=self.usable,
        )


class Ladder:
    """Looks after one bus. Its thread calls `look`; another one may call `relieve`.

    `since` is for a bus of which an earlier worker told that it is stuck, and not that it came
    back: what has been done since, which helped if it answers.
    """

    def __init__(
        self,
        levers: Levers,
        sink: Sink,
        clock: Clock,
        watch: Watch,
        sleep: Sleep,
        since: Since | None = None,
    ) -> None:
        self.silent_since_ms: int | None = None
        self._sink, self._clock, self._watch, self._sleep = sink, clock, watch, sleep
        self._held, self._levers = levers, _wired(levers)
        self._busy = threading.Lock()  # one lever at a time, whoever pulls it
        self._since, watch.held = since, since.gid if since else None
        self._climbed: Lever | None = None  # the last rung since the bus fell silent
        self._climbed_ms = 0
        self._relief: Lever | None = None  # what was pulled while the bus thread hung
        self._supply_ms = 0  # when it was last switched on, or could not be
        self._witnesses = Witnesses(GRACE_MS)

    def begin(self, gid: int) -> None:
        """Switch the supply of the bus on, where there is a pin for it."""
        for lever in self._levers:
            if lever.name == "power":
                self._supply(lever, gid)

    def end(self) -> None:
        """Give the lines of the levers back, once nobody pulls one any more.

        Who is still at it after all that time hangs in the kernel, and keeps them.
        """
        if self._busy.acquire(timeout=LEVER_BUDGET_S):
            self._held.close()
            self._busy.release()

    def look(self, runners: Sequence[Runner]) -> bool:
        """Climb one rung where no sensor has answered for long enough.

        Returns whether the bus was brought back just now, so that every sensor must begin anew.
        """
        relief = self._relief
        if relief:  # the call that hung has come back, which the watch has told
            self._relief = None
            if self._watch.held is not None:  # whether it helped is seen by who answers
                self._climbed, self._climbed_ms = relief, self._clock.boot_ms()
            else:
                relief.tally.helped += 1
        self._supply_again(runners)
        return self._tended(runners) or relief is not None

    def witness(self, runners: Sequence[Runner]) -> Runner | None:
        """Return a sensor to ask out of turn, before a lever that is ready can be pulled."""
        now_ms = self._clock.boot_ms()
        if self._ready(now_ms, {lever.name for lever in self._levers}) is None:
            return None
        rung_ms = None if self.silent_since_ms is None else self._climbed_ms
        return self._witnesses.next(runners, rung_ms, now_ms)

    def _tended(self, runners: Sequence[Runner]) -> bool:
        silent = bool(runners) and all(runner.silent for runner in runners)
        if not silent:
            self._answered([runner for runner in runners if runner.answers])
            return False
        now_ms = self._clock.boot_ms()
        if self.silent_since_ms is None:
            self.silent_since_ms = self._climbed_ms = now_ms
        if self._watch.held is None:
            self._tell_stuck(runners, now_ms)
        waited = now_ms - self._climbed_ms >= GRACE_MS and self._all_tried(runners)
        return waited and self._climb(runners, now_ms)

    def relieve(self) -> bool:
        """Switch the bus off and on while its own thread hangs; return whether that was begun.

        In a thread of its own, since the kernel may hold even that up; the call that hangs keeps
        its descriptor, and comes back when the kernel has seen the device go.
        """
        since_ms, now_ms = self._watch.stuck_since_ms, self._clock.boot_ms()
        if since_ms is None or now_ms - since_ms < HUNG_MS:
            return False
        lever = self._ready(now_ms, POWERS)
        if lever is None or not self._busy.acquire(blocking=False):
            return False
        thread = threading.Thread(
            target=self._relieved_by, args=(lever, now_ms), name="relief", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no room for another thread; the next look tries again
            self._busy.release()
            return False
        return True

    @property
    def rungs(self) -> Rungs:
        """What was tried for the bus as a whole."""
        found: Rungs = {}
        for lever in self._levers:
            tally = found.setdefault(lever.rung.word, Tally())
            tally.tried += lever.tally.tried
            tally.helped += lever.tally.helped
        return found

    def stats(self) -> tuple[LeverStats, ...]:
        """Return how each lever of the bus is doing; any thread may ask."""
        return tuple(lever.stats() for lever in self._levers)

    def _supply_again(self, runners: Sequence[Runner]) -> None:
        """Ask once a minute for a power pin that could not be had: its chip may come later."""
        for lever in self._levers:
            waited_ms = self._clock.boot_ms() - self._supply_ms
            if lever.name == "power" and not lever.usable and waited_ms >= SUPPLY_AGAIN_MS:
                self._supply(lever, runners[0].job.group.gid)

    def _supply(self, lever: Lever, gid: int) -> None:
        if self._busy.acquire(blocking=False):
            try:
                with self._watch.budget(gid, LEVER_BUDGET_S):
                    outcome = self._held.power_on()
            finally:
                self._busy.release()
            self._supply_ms = self._clock.boot_ms()
            lever.note(outcome)

    def _relieved_by(self, lever: Lever, now_ms: int) -> None:
        try:
            self._watch.rung = lever.rung
            if lever.pull(self._sleep, now_ms):
                self._relief = lever
        finally:
            self._busy.release()

    def _climb(self, runners: Sequence[Runner], now_ms: int) -> bool:
        lever = self._ready(now_ms, {lever.name for lever in self._levers})
        if lever is None or not self._busy.acquire(blocking=False):
            return False
        try:
            with self._watch.budget(runners[0].job.group.gid, LEVER_BUDGET_S):
                done = lever.pull(self._sleep, now_ms)
        finally:
            self._busy.release()
        self._climbed_ms = self._clock.boot_ms()
        if done:
            self._climbed = lever
        return done

    def _ready(self, now_ms: int, names: frozenset[str] | set[str]) -> Lever | None:
        usable = (one for one in self._levers if one.name in names and one.ready(now_ms))
        return next(usable, None)

    def _all_tried(self, runners: Sequence[Runner]) -> bool:
        """Return whether every sensor was asked again after the last rung."""
        return all((runner.tried_ms or 0) > self._climbed_ms for runner in runners)

    def _answered(self, runners: Sequence[Runner]) -> None:
        """Tell once that the bus is back, by which rung; `runners` are those that answer."""
        lever, held = self._climbed, self._watch.held
        if not runners or (self.silent_since_ms is None and held is None):
            return
        self.silent_since_ms, self._climbed, self._watch.held = None, None, None
        if lever:
            lever.tally.helped += 1
        if lever or held is not None:
            rung = lever.rung if lever else self._since.rung if self._since else Rung.REOPEN
            event = Event(EventCode.BUS_RECOVERED, value=int(rung))
            gid = runners[0].job.group.gid if held is None else held
            self._sink.event(self._clock.boot_ms(), gid, event)
        self._since = None

    def _tell_stuck(self, runners: Sequence[Runner], now_ms: int) -> None:
        """Tell of a wire that is held; silence alone is told by its sensors."""
        for runner in runners:
            if runner.failure.reason is Reason.BUS_STUCK:
                self._watch.held = gid = runner.job.group.gid
                self._sink.event(now_ms, gid, Event(EventCode.BUS_STUCK))
                return


def _wired(levers: Levers) -> list[Lever]:
    """Return what there is, the gentlest first."""
    found = []
    if levers.can_clear:
        found.append(Lever("nine-clocks", Rung.NINE_CLOCKS, lambda _: levers.clear()))
    if levers.can_power:
        found.append(Lever("power", Rung.POWER, levers.power_cycle))
    if levers.usb_port:
        found.append(Lever("usb", Rung.POWER, levers.usb_cycle))
    return found
