"""The rooms of one node, opened and started in order, and stopped so that nothing is lost."""

from __future__ import annotations

import fcntl
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgenode.bus import LineStore
from edgenode.clock import Clock, best
from edgenode.config import Config
from edgenode.errors import NodeError
from edgenode.health import Condition
from edgenode.node import commissioned, parts, sensors
from edgenode.node.boot import board, hardware
from edgenode.node.buses import Buses
from edgenode.node.report import Picture
from edgenode.reading import Event, EventCode, Stream
from edgenode.spool import Spool
from edgenode.wire import encode

if TYPE_CHECKING:  # paho takes 40 ms to import, and sampling comes first
    from edgenode.uplink import Uplink

POLLERS_S = 0.3  # of the 2 s that a stop may take; who sits in a read is left behind
SPOOL_S = 10.0  # leaving before the spool is safe would lose samples: the card has the last word
UPLINK = "uplink"  # the key of what is wrong with it
CONNECT_MS = 30_000  # a start is no trouble; without a connection after this long it is
UPLINK_S = 2.0  # for an uplink that is replaced to say goodbye


class Rooms:
    """Spool, bus workers and uplink of one configuration. The main thread changes them."""

    def __init__(self, config: Config, clock: Clock, lines: LineStore | None = None) -> None:
        """Open the spool; raises NodeError where the state directory is not ours to use."""
        self.config = config
        self._clock = clock
        self._held = _claimed(config.node.state)
        self.gids = sensors.gids(config)
        self.groups = sensors.groups(config)
        node = bytes.fromhex(config.node.id)
        options = parts.spool_options(config)
        self.spool = Spool.open(options, node, self.groups, clock, board())
        self.crew = sensors.Crew(clock, lines)
        self.buses = Buses(self.spool, self.crew.hire)
        self.notes: list[Condition] = []
        self.started_ms = clock.boot_ms()
        self.uplink: Uplink | None = None
        self.commissioned = ""  # the record that the last session told
        self.latest: Picture | None = None  # the spool's figures cost a query each
        self._stop_spool, self._stop_uplink = threading.Event(), threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._refused = False  # the uplink cannot be started with this configuration
        log, told = self.spool.conditions.history(), self.spool.unended
        lost = bool(told.of_node(EventCode.LINK_LOST)) or any(
            entry.key == UPLINK and entry.end is None for entry in log
        )
        self._connect_by_ms = 0 if lost else self.started_ms + CONNECT_MS  # it may go on at once

    def start_sensing(self) -> None:
        """Start the spool's thread, then a worker per bus; raises NodeError for an unknown wire."""
        buses = {sensor.name: sensor.bus.name for sensor in self.config.sensors}
        self.buses.before.recall(self.spool.unended.standing(), buses, self.spool.epoch)
        self._start("spool", lambda: self.spool.run(self._stop_spool))
        self.buses.start(self.config, self.groups)

    def start_uplink(self) -> None:
        """Start sending: the present spool first, then older ones of this directory.

        Raises NodeError for a credential that is not there.
        """
        from edgenode.uplink import Uplink  # noqa: PLC0415 - sampling comes first

        self.commissioned = commissioned.record(self.config.node.state, self.config.node.id)
        uplink = Uplink(
            parts.uplink_options(self.config),
            [self.spool.outbox, *self.spool.drains],
            encode(parts.about(self.config, hardware(), self.commissioned)),
            self._clock,
            lambda event: self.spool.event(self._clock.boot_ms(), None, event),
            self.spool.traffic,
            self._degraded(),
        )
        stop = self._stop_uplink = threading.Event()
        self.uplink = uplink
        self._start("uplink", lambda: uplink.run(stop))

    def _degraded(self) -> list[int]:
        """Return why the spool is told to be degraded; the uplink knows the words of brokers."""
        told = self.spool.unended.of_node(EventCode.SPOOL_DEGRADED)
        return [one.value for one in told if one.value is not None]

    def try_uplink(self) -> None:
        """Start sending; where that cannot be, sampling goes on and the reason is told.

        An outbox serves one uplink at a time: one that still leaves is waited for. A node that
        nobody has told of a broker has nowhere to send to.
        """
        if self._refused or not self._joined("uplink", 0):
            return
        if not self.config.uplink.broker:
            return
        self._forget_uplink_notes()
        try:
            self.start_uplink()
        except NodeError as exc:
            self._refused = True
            advice = "correct it, then systemctl reload edgenode; readings wait in the spool"
            self.notes.append(Condition(UPLINK, str(exc), advice))

    def stop_uplink(self) -> None:
        """Let the uplink say goodbye, so that another can take its place.

        One that could not be started may be tried again.
        """
        if self.uplink and self.uplink.stats().connected:
            self._connect_by_ms = self._clock.boot_ms() + CONNECT_MS
        self._refused = False
        self._forget_uplink_notes()
        self._tell_uplink()
        if not self._joined("uplink", time.monotonic() + UPLINK_S):
            what = "the uplink still leaves its last connection, perhaps held up by the resolver"
            self.notes.append(Condition(UPLINK, what, "wait, or systemctl restart edgenode"))
        self.uplink = None

    def _forget_uplink_notes(self) -> None:
        self.notes = [note for note in self.notes if note.key != UPLINK]

    def _start(self, name: str, target: object) -> None:
        thread = threading.Thread(name=name, target=target, daemon=True)  # type: ignore[arg-type]
        self._threads[name] = thread
        thread.start()

    def picture(self) -> Picture:
        """Return how all rooms are now; this also looks for reads that do not return."""
        known = best(self._clock)
        self.latest = Picture(
            now_ms=known.mono,
            started_ms=self.started_ms,
            utc_ms=known.utc,
            clock=known.source,
            clock_err_ms=known.err if known.source else None,
            spool=self.spool.stats(),
            buses=[worker.stats() for worker in self.buses.workers],
            uplink=self.uplink.stats() if self.uplink else None,
            notes=tuple(self.notes),
            connect_by_ms=self._connect_by_ms,
            brokers=len(self.config.uplink.broker),
        )
        return self.latest

    def mark(self) -> int:
        """Have a batch of events sealed at once; return the least seq that it can have."""
        least = self.spool.next_seq(Stream.EVENTS)
        self.spool.event(self._clock.boot_ms(), None, Event(EventCode.MARKED))
        return least

    def reached(self, stream: int, seq: int) -> str:
        """Return how far a batch of the present spool has come; raises NodeError."""
        try:
            return self.spool.outbox.reached(stream, seq)
        except KeyError as exc:
            raise NodeError(f"this node has no stream {stream}") from exc

    def serve_spool(self) -> tuple[int, int]:
        """Do the work of the spool's thread once; return batches held and readings not sealed.

        For a node that samples nothing: no batch will follow that acks could be written with.
        """
        self.spool.step()
        self.spool.settle()
        boxes = [self.spool.outbox, *self.spool.drains]
        return sum(box.held for box in boxes), self.spool.stats().window_readings

    def stop(self) -> bool:
        """Stop sampling, seal and commit; return whether the spool is safe.

        The uplink leaves before the spool closes, since it still writes down acks.
        """
        started = time.monotonic()
        self.buses.stop()
        self._tell_uplink()
        self.buses.join(started + POLLERS_S)
        self._joined("uplink", started + parts.FAREWELL_MS / 1000 + POLLERS_S)
        self._stop_spool.set()
        self.spool.wake()
        if not self._joined("spool", started + SPOOL_S):
            return False
        self.spool.close()
        return True

    def _tell_uplink(self) -> None:
        self._stop_uplink.set()
        if self.uplink:
            self.uplink.wake()

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
