"""The bus workers of the node: started, sent away one by one where the file changed, stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from edgenode.config import BusTable, Config
from edgenode.node.before import Before
from edgenode.node.gate import Gate
from edgenode.reading import Group
from edgenode.sensing import BusWorker, Sink

LOG = logging.getLogger(__name__)

RETIRE_S = 1.0  # for a worker to leave its sensors quiet; who sits in a read is left behind

Hire = Callable[[Config, BusTable, Mapping[int, Group], Sink, threading.Event, Before], BusWorker]


class _Post(NamedTuple):
    worker: BusWorker
    gate: Gate
    stop: threading.Event


class Buses:
    """One worker for each bus that has sensors. The main thread changes them; any may look."""

    def __init__(self, sink: Sink, hire: Hire) -> None:
        self._sink, self._hire = sink, hire
        self.before = Before()
        self._posts: dict[str, _Post] = {}

    @property
    def workers(self) -> tuple[BusWorker, ...]:
        """The workers as they are now, in the order of the file."""
        return tuple(post.worker for post in self._posts.values())

    def start(
        self, config: Config, groups: Mapping[int, Group], only: Collection[str] | None = None
    ) -> None:
        """Start the workers of all buses, or of those in `only`; raises NodeError.

        All are hired before one of them starts: who is compared with whom must be known by then.
        """
        used = {sensor.bus.name for sensor in config.sensors}
        fresh = {
            bus.name: self._post(config, bus, groups)
            for bus in config.buses
            if bus.name in used and (only is None or bus.name in only)
        }
        posts = self._posts | fresh
        order = [bus.name for bus in config.buses]
        self._posts = {name: posts[name] for name in sorted(posts, key=order.index)}
        for post in fresh.values():
            post.worker.start()

    def _post(self, config: Config, bus: BusTable, groups: Mapping[int, Group]) -> _Post:
        gate, stop = Gate(self._sink), threading.Event()
        return _Post(self._hire(config, bus, groups, gate, stop, self.before), gate, stop)

    def retire(self, names: Collection[str]) -> None:
        """Send the workers of these buses away; what they still say counts for nothing."""
        leaving = {name: post for name, post in self._posts.items() if name in names}
        self._tell(leaving)
        self._join(leaving, time.monotonic() + RETIRE_S)
        for name, post in leaving.items():
            post.gate.shut()
            self.before.remember(post.worker.stats())
            if post.worker.is_alive():
                LOG.warning("bus %s: its thread hangs in a read and is left behind", name)
        self._posts = {name: post for name, post in self._posts.items() if name not in names}

    def relieve(self) -> None:
        """Let buses whose thread hangs be switched off and on, where that can be done."""
        for post in self._posts.values():
            post.worker.relieve()

    def stop(self) -> None:
        """Ask all workers to end."""
        self._tell(self._posts)

    def join(self, deadline: float) -> None:
        """Wait for them until `deadline` of the monotonic clock, in seconds."""
        self._join(self._posts, deadline)

    def _tell(self, posts: Mapping[str, _Post]) -> None:
        for post in posts.values():
            post.stop.set()
            post.worker.wake()

    def _join(self, posts: Mapping[str, _Post], deadline: float) -> None:
        for post in posts.values():
            post.worker.join(max(0.0, deadline - time.monotonic()))
