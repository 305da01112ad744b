"""The daemon: sampling first, ready once that is durable, alive while it makes progress."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgenode.clock import Clock
from edgenode.config import Config
from edgenode.errors import NodeError
from edgenode.health import Condition, Health, Verdict, Watch
from edgenode.node import sensors
from edgenode.node.beacon import beacon_of
from edgenode.node.boot import BootMark
from edgenode.node.chronicle import Chronicle
from edgenode.node.duties import duties
from edgenode.node.lastresort import LastResort, Stuck, Why
from edgenode.node.lines import SystemdLines
from edgenode.node.notify import Notifier
from edgenode.node.parts import spool_directory
from edgenode.node.refuge import Refuge
from edgenode.node.reload import Reloaded, Reloader
from edgenode.node.report import Picture, conditions, line
from edgenode.node.rooms import Rooms
from edgenode.node.stop import Stop
from edgenode.node.visit import Visits
from edgenode.reading import Event, EventCode, Rung

if TYPE_CHECKING:  # sampling comes first
    from edgenode.control import Control

LOG = logging.getLogger(__name__)  # to stderr, which systemd keeps

SWITCH_S: Final = 0.0005  # wake-ups are four to seven times less late than with Python's 5 ms
STARTING_S: Final = 0.02
LOOK_S: Final = 1.0
FIRST_COMMIT_MS: Final = 2_000  # the uplink waits this long for the first durable sample, no longer
READY_MS: Final = 30_000  # a node whose first slot is far away is ready without it
DONE, FAILED, REBOOT = 0, 1, 86  # exit codes; the unit reboots the machine on the last one


class Daemon:
    """One run of the node, from opening the spool to closing it."""

    def __init__(
        self, config: Config, path: Path, clock: Clock, notifier: Notifier, stop: Stop
    ) -> None:
        self._clock, self._notifier, self._stop = clock, notifier, stop
        self._lines = SystemdLines(os.environ, notifier.send)
        self._rooms = Rooms(config, clock, self._lines)
        self._reloader = Reloader(path, self._rooms, self._lines)
        state = config.node.state
        self._mark = BootMark(state / "boot", clock.boot_id())
        self._visits = Visits(state / "maintenance", clock)
        self._refuge = Refuge(spool_directory(state), clock)
        self._resort = LastResort(state / "recovery", clock, config.recovery)
        self._watch = Watch(duties(self._rooms), clock.boot_ms())
        self._chronicle = Chronicle(self._rooms.spool)
        self._beacon = beacon_of(config.lamp, clock)
        self._control: Control | None = None
        self._ready = False
        told = self._rooms.spool.unended.of_node(EventCode.MAINTENANCE_BEGUN)
        self._working = bool(told)  # somebody was at work when we last looked
        self._rung: Rung | None = None  # why we leave, where that is the ladder's will

    def _controlled(self) -> Control | None:
        """Open the control socket; a node that cannot be asked still samples."""
        from edgenode.control import Control, verbs_of  # noqa: PLC0415 - sampling comes first
        from edgenode.node.office import Office  # noqa: PLC0415 - the same

        office = Office(self._rooms, self._watch, self._chronicle, self._visits, self._resort, self)
        try:
            control = Control(self._rooms.config.node.socket, verbs_of(office.answers()))
        except NodeError as exc:
            LOG.warning("%s", exc)
            advice = "see the message above; `edgenode status` has nobody to ask"
            self._rooms.notes.append(Condition("control", str(exc), advice))
            return None
        control.start()
        return control

    def run(self) -> int:
        """Sample and send until the end is asked for; return the exit code."""
        sys.setswitchinterval(SWITCH_S)
        now_ms = self._clock.boot_ms()
        self._chronicle.started(self._mark.cause(), self._mark.start(), now_ms)
        self._tell_work()
        self._rooms.start_sensing()
        self._control = self._controlled()
        self._lines.retain(sensors.line_names(self._rooms.config))
        while not self._stop.pause(LOOK_S if self._ready else STARTING_S):
            if self._stop.reload_asked():
                self.reload()
            self._stop.serve()
            self._look()
        self._notifier.stopping()
        return self._leave()

    def reload(self) -> Reloaded:
        """Take up what changed in the file; on the main thread."""
        found = self._reloader.reload()
        for problem in found.problems:
            LOG.error("not reloaded: %s", problem)
        if found.changed:
            LOG.info("reloaded: %s", "; ".join(found.changed))
        if not found.what.nothing:
            event = Event(EventCode.CONFIGURATION_CHANGED)
            self._rooms.spool.event(self._clock.boot_ms(), None, event)
        if found.what.recovery:
            self._resort.allow(self._rooms.config.recovery)
        if found.what.lamp:
            self._beacon.close()
            self._beacon = beacon_of(self._rooms.config.lamp, self._clock)
        return found

    def ask(self, work: object, timeout_s: float) -> object:
        """Let the main thread do something for another one."""
        return self._stop.ask(work, timeout_s)  # type: ignore[arg-type]

    def _look(self) -> None:
        picture = self._rooms.picture()
        before = self._watch.verdict
        held = [*conditions(picture), *self._beacon.conditions()]
        verdict = self._watch.look(held, picture.now_ms)
        _log_changes(before, verdict)
        self._chronicle.look(verdict.problems, picture.clock, picture.now_ms)
        self._tell_work()
        self._rooms.buses.relieve()
        self._progress(picture)
        self._notifier.status(line(verdict, picture))
        self._beacon.tell(verdict.health, maintenance=self._working)
        feed(self._notifier, verdict)
        self._resort_to(picture)
        self._return_to_disk(picture)

    def _progress(self, picture: Picture) -> None:
        """Go on with the start: systemd's READY, then the uplink, once something is durable."""
        durable = picture.spool.sampled or bool(picture.spool.degraded)
        if not self._ready and (durable or picture.up_ms > READY_MS):
            self._ready = True
            self._mark.running()
            self._notifier.ready()
        if self._rooms.uplink is None and (durable or picture.up_ms > FIRST_COMMIT_MS):
            self._rooms.try_uplink()

    def _tell_work(self) -> None:
        """Flag readings while somebody works here, and tell when that begins and ends."""
        working = self._visits.now() is not None
        self._rooms.crew.maintenance.on = working
        if working != self._working:
            self._working = working
            code = EventCode.MAINTENANCE_BEGUN if working else EventCode.MAINTENANCE_ENDED
            LOG.info("maintenance has %s", "begun" if working else "ended")
            self._rooms.spool.event(self._clock.boot_ms(), None, Event(code))

    def _resort_to(self, picture: Picture) -> None:
        """Leave for the sake of a bus whose read does not return, where nothing else helped."""
        now_ms = picture.now_ms
        stuck = [
            Stuck(bus.bus, now_ms - bus.stuck_since_ms)
            for bus in picture.buses
            if bus.stuck_since_ms is not None
        ]
        rung = None if self._working else self._resort.wanted(stuck)
        if rung is not None:
            names = ", ".join(bus.bus for bus in stuck)
            self._leave_for(rung, Why.BUS, f"bus {names} hangs and nothing else helped")

    def _return_to_disk(self, picture: Picture) -> None:
        """Start anew on a disk that could not be used at the start and now can be."""
        spool = self._rooms.spool
        if spool.in_memory and self._refuge.over(picture.spool.held_batches):
            self._leave_for(Rung.RESTART, Why.DISK, "the disk can be used again")

    def _leave_for(self, rung: Rung, why: Why, words: str) -> None:
        """Leave, so that the daemon or the machine is started anew, if that is not too often."""
        if self._resort.take(rung, why):
            LOG.critical("%s: %s", words, rung.word)
            self._rung = rung
            self._stop.set()

    def _leave(self) -> int:
        safe = self._rooms.stop()
        self._lines.close()
        if not safe:
            LOG.critical("the disk does not answer; what no commit covers yet is lost")
        elif self._rung is not None:
            self._mark.recovering()
        else:
            self._mark.stopped()
        if self._control:
            self._control.close()
        self._beacon.close()
        if self._rung is Rung.REBOOT:
            return REBOOT
        failed = self._stop.defect or not safe or self._rung is not None
        return FAILED if failed else DONE


def feed(notifier: Notifier, verdict: Verdict) -> None:
    """Feed systemd's watchdog, but for a node whose work does not get done."""
    if verdict.health is not Health.STALLED:
        notifier.watchdog()


def _log_changes(before: Verdict, after: Verdict) -> None:
    """Log what began as a warning and what ended as news, each once."""
    known = {problem.condition.key for problem in before.problems}
    still = {problem.condition.key for problem in after.problems}
    for problem in after.problems:
        if problem.condition.key not in known:
            LOG.warning("%s; %s", problem.condition.what, problem.condition.advice)
    for key in sorted(known - still):
        LOG.info("%s: well again", key)
