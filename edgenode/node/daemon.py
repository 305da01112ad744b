"""The daemon: sampling first, ready once that is durable, alive while it makes progress."""

from __future__ import annotations

import logging
import sys
from typing import Any

from edgenode.clock import Clock
from edgenode.config import Config
from edgenode.control import Control, verbs_of
from edgenode.errors import NodeError
from edgenode.health import Condition, Health, Verdict, Watch
from edgenode.node.boot import BootMark
from edgenode.node.notify import Notifier
from edgenode.node.report import conditions, document, line
from edgenode.node.rooms import Rooms
from edgenode.node.stop import Stop
from edgenode.reading import Event, EventCode

LOG = logging.getLogger(__name__)  # warnings go to stderr, which systemd keeps

SWITCH_S = 0.0005  # wake-ups are four to seven times less late than with Python's 5 ms
STARTING_S = 0.02
LOOK_S = 1.0
FIRST_COMMIT_MS = 2_000  # the uplink waits this long for the first durable sample, no longer
READY_MS = 30_000  # a node whose first slot is far away is ready without it


class Daemon:
    """One run of the node, from opening the spool to closing it."""

    def __init__(self, config: Config, clock: Clock, notifier: Notifier) -> None:
        self._config = config
        self._clock = clock
        self._notifier = notifier
        self._rooms = Rooms(config, clock)
        self._mark = BootMark(config.node.state / "boot", clock.boot_id())
        self._watch = Watch(self._rooms.duties(), clock.boot_ms())
        self._control = self._controlled()
        self._ready = False

    def _controlled(self) -> Control | None:
        """Open the control socket; a node that cannot be asked still samples."""
        try:
            control = Control(
                self._config.node.socket, verbs_of({"status": lambda _: self.status()})
            )
        except NodeError as exc:
            LOG.warning("%s", exc)
            advice = "see the message above; `edgenode status` has nobody to ask"
            self._rooms.notes.append(Condition("control", str(exc), advice))
            return None
        control.start()
        return control

    def status(self) -> dict[str, Any]:
        """Return the status document; the control thread asks."""
        return document(self._config.node.id, self._rooms.picture(), self._watch.verdict)

    def run(self, stop: Stop) -> int:
        """Sample and send until `stop`; return the exit code."""
        sys.setswitchinterval(SWITCH_S)
        cause = self._mark.cause()
        if cause is not None:
            event = Event(EventCode.BOOT, value=cause)
            self._rooms.spool.event(self._clock.boot_ms(), None, event)
        self._rooms.start_sensing()
        while not stop.wait(LOOK_S if self._ready else STARTING_S):
            self._look()
        self._notifier.stopping()
        return self._leave(failed=stop.defect)

    def _look(self) -> None:
        picture = self._rooms.picture()
        before = self._watch.verdict
        verdict = self._watch.look(conditions(picture), picture.now_ms)
        _log_changes(before, verdict)
        durable = picture.spool.commits > 0 or bool(picture.spool.degraded)
        if self._rooms.uplink is None and (durable or picture.up_ms > FIRST_COMMIT_MS):
            self._rooms.start_uplink()
        if not self._ready and (durable or picture.up_ms > READY_MS):
            self._ready = True
            self._mark.running()
            self._notifier.ready()
        self._notifier.status(line(verdict, picture))
        feed(self._notifier, verdict)

    def _leave(self, *, failed: bool) -> int:
        safe = self._rooms.stop()
        if safe:
            self._mark.stopped()
        else:
            LOG.critical("the disk does not answer; what no commit covers yet is lost")
        if self._control:
            self._control.close()
        return 1 if failed or not safe else 0


def feed(notifier: Notifier, verdict: Verdict) -> None:
    """Feed systemd's watchdog, but for a node whose work does not get done."""
    if verdict.health is not Health.STALLED:
        notifier.watchdog()


def _log_changes(before: Verdict, after: Verdict) -> None:
    known = {problem.condition.key for problem in before.problems}
    still = {problem.condition.key for problem in after.problems}
    for problem in after.problems:
        if problem.condition.key not in known:
            LOG.warning("%s; %s", problem.condition.what, problem.condition.advice)
    for key in sorted(known - still):
        LOG.warning("%s: well again", key)
