"""What a driver is: declared channels, one blocking `read`, and how a driver is found by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from edgenode.errors import ConfigError
from edgenode.reading import Channel, Sample

WireKind = Literal["i2c", "serial", "gpio"]


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a driver's options: what an installer may write in [[sensor]] for this part."""


class Driver(Protocol):
    """A sensor that is open from construction until `close`.

    A class is made with `cls(wire, options)`; the wire is already open and of the kind that
    `wire` names. Constructing is opening, so there is no half-open state: a driver that fails
    is discarded and built anew. Only the thread of its bus ever calls it. `read` may block for
    `budget_s`, never longer. Drivers never log, retry, stamp time or start threads.
    """

    wire: ClassVar[WireKind]
    model: ClassVar[str]
    options: ClassVar[type[Options]]
    channels: ClassVar[tuple[Channel, ...]]
    since_open: ClassVar[frozenset[str]]  # counters that begin at 0 when the driver opens
    budget_s: ClassVar[float]
    settle_s: ClassVar[float]  # after opening, how long readings are marked as settling

    def read(self, now_ms: int) -> Sample:
        """Take one sample; raise DriverError when the sensor cannot give an honest one."""
        ...

    def close(self) -> None:
        """Leave the sensor safe and quiet; safe to call twice, never raises."""
        ...


@runtime_checkable
class Talker(Protocol):
    """A driver of something that talks by itself: the bus thread waits on it and feeds it."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to feed on."""
        ...

    def feed(self, now_ms: int) -> None:
        """Take in what is readable without blocking; raise DriverError when the wire is gone."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A Talker whose counters of `since_open` are known between reads."""

    def counts(self) -> Mapping[str, int]:
        """Return the counters of `since_open` as they stand now, without touching the wire."""
        ...


def declared(driver: Any, options: Options) -> tuple[Channel, ...]:
    """Return the channels of `driver` as `options` declare them.

    A part that only counts or switches cannot know what: where its options have `observed`, that
    text is the observed property of its first channel.
    """
    channels: tuple[Channel, ...] = driver.channels
    observed: str = getattr(options, "observed", "")
    return (replace(channels[0], observed=observed), *channels[1:]) if observed else channels


def find(name: str) -> Any:
    """Return the driver class registered as `name` under the entry points `edgenode.drivers`.

    Raises ConfigError naming the known drivers when there is none, or what keeps it from loading.
    """
    known = {point.name: point for point in entry_points(group="edgenode.drivers")}
    if name not in known:
        raise ConfigError([f"driver {name!r} is not installed; known: {', '.join(sorted(known))}"])
    try:
        return known[name].load()
    except ImportError as exc:
        raise ConfigError([f"driver {name!r} cannot be loaded: {exc}"]) from exc
