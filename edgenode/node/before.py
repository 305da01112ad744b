"""What earlier workers have told of and not told the end of: lost sensors, stuck buses.

They may have been of this process, before a reload, or of one before it: then the condition log
knows. Whoever comes next tells the end, and not the beginning once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgenode.reading import Rung
from edgenode.sensing import WorkerStats
from edgenode.spool import Condition

LOST: Final = frozenset({"lost", "faulty"})


class Before:
    """Used by the main thread."""

    def __init__(self) -> None:
        self.lost: set[str] = set()  # sensors
        self.stuck: dict[str, Rung] = {}  # by bus: what was done since

    def recall(self, entries: Iterable[Condition], epoch: int) -> None:
        """Take up what the log holds open at the start of the daemon, in the boot `epoch`."""
        for entry in entries:
            kind, _, name = entry.key.partition(" ")
            if entry.end is None and kind == "sensor":
                self.lost.add(name)
            elif entry.end is None and kind == "bus":
                same = entry.begin.epoch == epoch
                self.stuck[name] = Rung.RESTART if same else Rung.REBOOT

    def remember(self, bus: WorkerStats) -> None:
        """Take up how a worker leaves its bus."""
        for sensor in bus.sensors:
            self.lost.discard(sensor.sensor)
            if sensor.state in LOST:
                self.lost.add(sensor.sensor)
        self.stuck.pop(bus.bus, None)
        if bus.stuck or bus.held:
            self.stuck[bus.bus] = Rung.REOPEN
