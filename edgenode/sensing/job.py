"""What a bus worker is given: sensors to read, how to open them, and where samples go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edgenode.driver import Driver
from edgenode.reading import Event, Group, Sample, Total
from edgenode.sensing.rules import SensorRules


class Sink(Protocol):
    """Where samples go; every call takes microseconds and never waits for a disk."""

    @property
    def epoch(self) -> int:
        """The number of this boot, as totals carry it."""
        ...

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        """Record a sample and its events at boot-time `t_ms`."""
        ...

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        """Record an event of the group, or of the node."""
        ...

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        """Note the durable total of a counter; it rides in every commit."""
        ...

    def total(self, channel: str) -> Total | None:
        """Return the total as recovered or last set; None if there never was one."""
        ...


@dataclass(frozen=True)
class Job:
    """One sensor to read. `phase_ms` shifts its slots within the period; see `stagger`."""

    sensor: str
    group: Group
    driver: Callable[[], Driver]  # opens the sensor; may raise DriverError
    every_ms: int
    stamp_ms: int  # a stamp is the slot when the read began this near to it
    phase_ms: int = 0
    rules: SensorRules = field(default_factory=SensorRules)
    slots_only: bool = False  # what is read between the slots shall not leave the node
    lost: str = ""  # why it counts as lost until it answers, where an earlier worker told of it
