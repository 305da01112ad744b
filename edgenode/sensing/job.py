"""What a bus worker is given: sensors to read, how to open them, and where samples go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from edgenode.bus import open_i2c, open_line
from edgenode.driver import Driver, Options
from edgenode.errors import NodeError
from edgenode.reading import Event, Group, Sample, Total


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


def opener(driver: Any, path: str, options: Options) -> Callable[[], Driver]:
    """Return what opens the wire that `driver` needs and then the driver on it.

    Raises NodeError for a kind of wire that this node has no adapter for.
    """
    if driver.wire not in {"i2c", "gpio"}:
        raise NodeError(f"{driver.model}: there is no adapter for a {driver.wire} wire")

    def opened() -> Driver:
        wire = _wire(driver.wire, path, options)
        try:
            made: Driver = driver(wire, options)
        except BaseException:  # whatever it was, the descriptor must not leak
            wire.close()
            raise
        return made

    return opened


def _wire(kind: str, path: str, options: Any) -> Any:
    if kind == "i2c":
        return open_i2c(path, options.address)
    return open_line(path, options.line, options.edge, options.bias, options.debounce_us)
