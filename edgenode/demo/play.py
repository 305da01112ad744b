"""The play: the road is opened, disturbed on purpose, drained, and accounted for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

from edgenode.demo.account import Account, account
from edgenode.demo.children import Child, undisturbed
from edgenode.demo.gather import Received, gather, newest, received, wait_unfolded
from edgenode.demo.show import Show
from edgenode.demo.stage import READY_S, Stage, boot_ms, written_bytes
from edgenode.errors import NodeError
from edgenode.virtual.control import send_command
from edgenode.virtual.kinds import Action

LOOK_S = 0.1
DRAIN_S = 60.0
STOP_S = 10.0


class Fault(NamedTuple):
    """What an instrument does from a share of the time on."""

    share: float
    sensor: str
    do: Action
    text: str


FAULTS = (
    Fault(0.12, "dust", "vanish", "the USB port of the dust sensor is unplugged"),
    Fault(0.26, "dust", "return", "the dust sensor is plugged in again, and streams"),
    Fault(0.30, "kiosk", "hang", "the meter `kiosk` falls silent; `lamps`, on its cable, goes on"),
    Fault(0.42, "kiosk", "return", "the meter `kiosk` answers again"),
    Fault(0.58, "yard", "garbage", "the sensor `yard` answers with damaged frames"),
    Fault(0.65, "south", "vanish", "the sensor `south` is unplugged"),
    Fault(0.70, "yard", "return", "the sensor `yard` answers well again"),
    Fault(0.28, "signal", "vanish", "the line of the signal head ends"),
    Fault(0.38, "signal", "return", "the signal head is back on its line"),
    Fault(0.74, "meter", "vanish", "the line of the water meter ends"),
    Fault(0.80, "south", "return", "the sensor `south` is plugged in again"),
    Fault(0.84, "meter", "return", "the water meter is back on its line"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    account: Account
    received: Received
    written_bytes: int  # by the daemon in all its lives
    stop_s: float  # how long it took to leave after SIGTERM
    drained: bool
    kills: int
    newest: Mapping[str, str]  # of each channel that has one: its newest number at the City OS


class Play:
    """One run on a stage. Everything it starts is ended when it leaves, whatever happens."""

    def __init__(self, stage: Stage, show: Show, seconds: float) -> None:
        self._stage = stage
        self._show = show
        self._seconds = seconds
        self._ending = ExitStack()
        self._up: dict[str, Child] = {}  # those that must not end by themselves
        self._kills: list[int] = []
        self._written = 0
        self._stop_s = 0.0

    def run(self) -> Outcome:
        """Play all scenes; raises NodeError when a process does not start, or ends by itself."""
        with self._ending:
            began = self._open()
            for share, scene in self._scenes():
                self._until(began + share * self._seconds)
                scene()
            return self._close()

    def _scenes(self) -> list[tuple[float, Callable[[], None]]]:
        """Return every scene and its share of the time; faults of instruments are FAULTS."""
        scenes = [
            (0.20, self._cut),
            (0.35, self._mend),
            (0.50, self._kill),
            (0.52, self._restart),
            (1.00, self._stop),
            *((fault.share, self._fault(fault)) for fault in FAULTS),
        ]
        return sorted(scenes, key=lambda scene: scene[0])

    def _start(self, make: Callable[[], Child]) -> Child:
        """Start a process; whatever comes in between, it is known and will be ended."""
        with undisturbed():
            child = make()
            self._ending.callback(child.end)
        self._up[child.name] = child
        return child

    def _open(self) -> float:
        self._show.scene("instruments, a broker, a receiver and the node are started")
        self._start(self._stage.instruments).wait_ready(READY_S)
        self._start(self._stage.broker).wait_ready(READY_S)
        receiver = self._start(self._stage.receiver)
        self._start(self._stage.daemon)
        receiver.wait_ready(READY_S)
        return time.monotonic()

    def _until(self, moment: float) -> None:
        """Let the show go on until then."""
        while time.monotonic() < moment:
            self._show.refresh()
            time.sleep(LOOK_S)
            for child in self._up.values():
                if not child.alive:
                    raise NodeError(f"{child.name} ended by itself:\n{child.last_words()}")

    def _cut(self) -> None:
        self._show.scene("the broker is killed; the node keeps what it samples")
        self._up.pop("broker").kill()

    def _mend(self) -> None:
        self._show.scene("the broker is back, and remembers nothing")
        self._start(self._stage.broker).wait_ready(READY_S)

    def _kill(self) -> None:
        self._show.scene("the daemon is killed with SIGKILL")
        daemon = self._up.pop("daemon")
        self._written += written_bytes(daemon.process.pid)
        daemon.kill()
        self._kills.append(boot_ms())

    def _restart(self) -> None:
        self._show.scene("the daemon is started again on what its disk holds")
        self._start(self._stage.daemon)

    def _fault(self, fault: Fault) -> Callable[[], None]:
        def scene() -> None:
            self._show.scene(fault.text)
            send_command(self._stage.command, fault.sensor, fault.do)

        return scene

    def _stop(self) -> None:
        self._show.scene("sampling is stopped with SIGTERM")
        daemon = self._up.pop("daemon")
        self._written += written_bytes(daemon.process.pid)
        asked = time.monotonic()
        code = daemon.end(STOP_S)
        self._stop_s = time.monotonic() - asked
        if code != 0:
            raise NodeError(f"the daemon left with {code}:\n{daemon.last_words()}")

    def _close(self) -> Outcome:
        self._show.scene("what the node still holds is sent")
        drained = self._drained()
        self._show.scene("the log of truth is compared with the receiver's table, row by row")
        wait_unfolded(self._stage)
        return Outcome(
            account=account(gather(self._stage, self._kills)),
            received=received(self._stage),
            written_bytes=self._written,
            stop_s=self._stop_s,
            drained=drained,
            kills=len(self._kills),
            newest=newest(self._stage),
        )

    def _drained(self) -> bool:
        drain = self._start(lambda: self._stage.drain(DRAIN_S))
        deadline = time.monotonic() + DRAIN_S + STOP_S
        while drain.alive and time.monotonic() < deadline:
            self._show.refresh()
            time.sleep(LOOK_S)
        return drain.end() == 0
