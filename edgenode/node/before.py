"""What earlier workers have told of and not told the end of: lost sensors, stuck buses.

They may have been of this process, before a reload, or of one before it: then the spool knows what
durable events have told. Whoever comes next tells the end, and not the beginning once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from edgenode.reading import EventCode, Rung
from edgenode.sensing import WorkerStats
from edgenode.spool import Begun

LOST: Final = frozenset({"lost", "faulty"})


class Stuck(NamedTuple):
    """A bus that was told of as stuck: what was done since, and the sensor it was told of."""

    rung: Rung
    sensor: str


class Before:
    """Used by the main thread."""

    def __init__(self) -> None:
        self.lost: set[str] = set()  # sensors
        self.stuck: dict[str, Stuck] = {}  # by bus

    def recall(self, begun: Iterable[Begun], buses: Mapping[str, str], epoch: int) -> None:
        """Take up what stands at the start of the daemon, in the boot `epoch`.

        `buses` has the bus of each sensor; of one that is gone nobody can tell anything any more.
        """
        for one in begun:
            bus = buses.get(one.name or "")
            if one.name is None or bus is None:
                continue
            if one.code == EventCode.SENSOR_LOST:
                self.lost.add(one.name)
            elif one.code == EventCode.BUS_STUCK:
                rung = Rung.RESTART if one.epoch == epoch else Rung.REBOOT
                self.stuck[bus] = Stuck(rung, one.name)

    def remember(self, bus: WorkerStats) -> None:
        """Take up how a worker leaves its bus."""
        for sensor in bus.sensors:
            self.lost.discard(sensor.sensor)
            if sensor.state in LOST:
                self.lost.add(sensor.sensor)
        self.stuck.pop(bus.bus, None)
        if bus.told_of:
            self.stuck[bus.bus] = Stuck(Rung.REOPEN, bus.told_of)
