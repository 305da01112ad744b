"""The rooms of one node, opened and started in order, and stopped so that nothing is lost."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgenode.clock import Clock
from edgenode.config import Config
from edgenode.errors import NodeError
from edgenode.health import Condition, Duty
from edgenode.node import parts
from edgenode.node.boot import board, hardware
from edgenode.node.report import Picture
from edgenode.sensing import BusWorker
from edgenode.spool import Spool
from edgenode.wire import encode

if TYPE_CHECKING:  # paho takes 40 ms to import, and sampling comes first
    from edgenode.uplink import Uplink

POLLERS_S = 0.3  # of the 2 s that a stop may take; who sits in a read is left behind
SPOOL_S = 10.0  # leaving before the spool is safe would lose samples: the card has the last word
STALLED_MS = 60_000
SENDING_MS = 600_000  # connected, with backlog, and no ack for so long
DIALLING_MS = 180_000  # a resolver may block for minutes; then something is wrong


class Rooms:
    """Spool, bus workers and uplink of one configuration. Used by the main thread only."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Open the spool; raises NodeError where the state directory is not ours to use."""
        self._config = config
        self._clock = clock
        self._held = _claimed(config.node.state)
        self._groups = parts.groups(config)
        node = bytes.fromhex(config.node.id)
        options = parts.spool_options(config)
        self.spool = Spool.open(options, node, self._groups, clock, board())
        self.notes: list[Condition] = []
        self.started_ms = clock.boot_ms()
        self.workers: list[BusWorker] = []
        self.uplink: Uplink | None = None
        self._latest: Picture | None = None  # the spool's figures cost a query each
        self._stops = {name: threading.Event() for name in ("pollers", "spool", "uplink")}
        self._threads: dict[str, threading.Thread] = {}

    def start_sensing(self) -> None:
        """Start the spool's thread, then a worker per bus; raises NodeError for an unknown wire."""
        self.workers = parts.workers(
            self._config, self._groups, self.spool, self._clock, self._stops["pollers"]
        )
        self._start("spool", lambda: self.spool.run(self._stops["spool"]))
        for worker in self.workers:
            worker.start()

    def start_uplink(self) -> None:
        """Start sending: the present spool first, then older ones of this directory."""
        from edgenode.uplink import Uplink  # noqa: PLC0415 - sampling comes first

        uplink = Uplink(
            parts.uplink_options(self._config),
            [self.spool.outbox, *self.spool.drains],
            encode(parts.about(self._config, hardware())),
            self._clock,
            lambda event: self.spool.event(self._clock.boot_ms(), None, event),
        )
        self.uplink = uplink
        self._start("uplink", lambda: uplink.run(self._stops["uplink"]))

    def _start(self, name: str, target: object) -> None:
        thread = threading.Thread(name=name, target=target, daemon=True)  # type: ignore[arg-type]
        self._threads[name] = thread
        thread.start()

    def picture(self) -> Picture:
        """Return how all rooms are now; this also looks for reads that do not return."""
        self._latest = Picture(
            now_ms=self._clock.boot_ms(),
            started_ms=self.started_ms,
            utc_ms=self._clock.utc_ms(),
            clock=self._clock.sync()[0],
            spool=self.spool.stats(),
            buses=[worker.stats() for worker in self.workers],
            uplink=self.uplink.stats() if self.uplink else None,
            notes=tuple(self.notes),
        )
        return self._latest

    def serve_spool(self) -> tuple[int, int]:
        """Do the work of the spool's thread once; return batches held and readings not sealed.

        For a node that samples nothing: no batch will follow that acks could be written with.
        """
        self.spool.step()
        self.spool.settle()
        boxes = [self.spool.outbox, *self.spool.drains]
        return sum(box.held for box in boxes), self.spool.stats().window_readings

    def duties(self) -> list[Duty]:
        """Return the work that must get done, or a restart is the cure."""
        bucket_ms = round(60_000 / self._config.uplink.backlog_per_s)
        acked_ms = round(3_000 * self._config.spool.window_s)  # held until written down as acked
        return [
            Duty(
                "spool",
                lambda: self.spool.progress,
                lambda: True,
                STALLED_MS,
                "look at the disk: a card that stalls this long is failing",
            ),
            Duty(
                "uplink",
                lambda: self.uplink.progress if self.uplink else 0,
                lambda: self.uplink is not None,
                DIALLING_MS,
                "look at the resolver and the network",
            ),
            Duty(
                "sending",
                self._acks,
                self._must_send,
                max(SENDING_MS, bucket_ms, acked_ms),
                "look at the broker; the daemon is about to be restarted",
            ),
        ]

    def _acks(self) -> int:
        stats = self.uplink.stats() if self.uplink else None
        return stats.acked + stats.city_acks if stats else 0

    def _must_send(self) -> bool:
        picture = self._latest or self.picture()
        stats, spool = picture.uplink, picture.spool
        if stats is None or not stats.connected or stats.paused:
            return False
        return spool.held_batches - spool.unconfirmed_batches - stats.set_aside - stats.parked > 0

    def stop(self) -> bool:
        """Stop sampling, seal and commit; return whether the spool is safe.

        The uplink leaves before the spool closes, since it still writes down acks.
        """
        started = time.monotonic()
        self._stops["uplink"].set()
        self._stops["pollers"].set()
        if self.uplink:
            self.uplink.wake()
        for worker in self.workers:
            worker.wake()
        for worker in self.workers:
            worker.join(max(0.0, started + POLLERS_S - time.monotonic()))
        self._joined("uplink", started + parts.FAREWELL_MS / 1000 + POLLERS_S)
        self._stops["spool"].set()
        self.spool.wake()
        if not self._joined("spool", started + SPOOL_S):
            return False
        self.spool.close()
        return True

    def _joined(self, name: str, deadline: float) -> bool:
        thread = self._threads.get(name)
        if thread is None:
            return True
        thread.join(max(0.0, deadline - time.monotonic()))
        return not thread.is_alive()


def _claimed(state: Path) -> IO[bytes]:
    """Take the state directory for this process; the kernel gives it back when we are gone."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (state / "lock").open("wb")
    except OSError as exc:
        advice = "set node.state to a directory this user may write"
        raise NodeError(f"{state}: cannot keep anything here: {exc.strerror}; {advice}") from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        file.close()
        raise NodeError(f"{state}: another edgenode keeps its spool here; stop it first") from exc
    return file
