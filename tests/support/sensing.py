"""A sink that remembers, and drivers that do as they are told."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from edgenode.driver import Driver, Options, WireKind
from edgenode.errors import DriverError
from edgenode.reading import Channel, Event, Group, Kind, Sample, Total
from edgenode.sensing import Job
from tests.support.clock import FakeClock


class FakeSink:
    """Stands where the spool stands, across restarts and reboots."""

    def __init__(self, epoch: int = 1) -> None:
        self.epoch = epoch
        self.rows: list[tuple[int, int, Sample]] = []
        self.events: list[tuple[int, int | None, Event]] = []
        self.totals: dict[str, Total] = {}

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        self.rows.append((gid, t_ms, sample))

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        self.events.append((t_ms, gid, event))

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        self.totals[channel] = Total(value, self.epoch, t_ms)

    def total(self, channel: str) -> Total | None:
        return self.totals.get(channel)

    def codes(self) -> list[int]:
        return [int(event.code) for _, _, event in self.events]

    def of(self, gid: int) -> list[tuple[int, Sample]]:
        return [(t_ms, sample) for g, t_ms, sample in self.rows if g == gid]


class FakeDriver(Driver):
    """One temperature, a range of 0 to 50 °C; `script` decides each read."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "fake"
    options: ClassVar[type[Options]] = Options
    channels: ClassVar[tuple[Channel, ...]] = (Channel("temperature", "Cel", -1, low=0, high=50),)
    budget_s: ClassVar[float] = 0.5
    fastest_s: ClassVar[float] = 0.001

    def __init__(self, script: Callable[[int], Sample]) -> None:
        self.script = script
        self.closed = 0

    def read(self, now_ms: int) -> Sample:
        return self.script(now_ms)

    def close(self) -> None:
        self.closed += 1


class SlowToSettle(FakeDriver):
    """Its fan needs two seconds after power-on."""

    settle_s: ClassVar[float] = 2.0


class FakeCounter(FakeDriver):
    """Counts what it is given since it was opened, and talks by itself."""

    channels: ClassVar[tuple[Channel, ...]] = (Channel("count", "count", kind=Kind.COUNTER),)
    since_open: ClassVar[frozenset[str]] = frozenset({"count"})

    def __init__(self) -> None:
        super().__init__(lambda _: Sample((self.count,)))
        self.count = 0
        self.fed = 0
        self.kept: list[dict[str, int]] = []
        self.broken: DriverError | None = None
        self.ready = os.eventfd(0, os.EFD_NONBLOCK)

    def pulse(self, count: int = 1) -> None:
        self.count += count
        os.eventfd_write(self.ready, count)

    def fileno(self) -> int:
        return self.ready

    def feed(self, now_ms: int) -> Sequence[Event]:
        if self.broken:
            raise self.broken
        os.eventfd_read(self.ready)
        self.fed += 1
        return ()

    def counts(self) -> Mapping[str, int]:
        return {"count": self.count}

    def resumed(self) -> Mapping[str, int]:
        return {}

    def keep(self, totals: Mapping[str, int]) -> None:
        self.kept.append(dict(totals))

    def close(self) -> None:
        if not self.closed:
            os.close(self.ready)
        super().close()

    def __del__(self) -> None:
        if not self.closed:
            os.close(self.ready)


class Hanging(FakeDriver):
    """Reads do not return until `release` is set."""

    budget_s: ClassVar[float] = 0.05

    def __init__(self) -> None:
        super().__init__(self._hang)
        self.release = threading.Event()
        self.inside = threading.Event()

    def _hang(self, now_ms: int) -> Sample:
        self.inside.set()
        self.release.wait(30)
        return Sample((1.0,))


class Bench:
    """What a test needs to run one sensor by hand: clock, sink, and a factory that can refuse."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.sink = FakeSink()
        self.value: float | None = 20.0
        self.error: Exception | None = None
        self.takes_ms = 0
        self.cls: type[FakeDriver] = FakeDriver
        self.made: list[FakeDriver] = []

    def sample(self, now_ms: int) -> Sample:
        self.clock.advance(self.takes_ms)
        if self.error:
            raise self.error
        return Sample((self.value,))

    def factory(self) -> FakeDriver:
        if self.error:
            raise self.error
        self.made.append(self.cls(self.sample))
        return self.made[-1]

    def job(self, gid: int = 1, every_ms: int = 1000, phase_ms: int = 0) -> Job:
        return Job(
            f"s{gid}",
            group_of(self.cls, gid),
            self.factory,
            every_ms,
            stamp_ms=50,
            phase_ms=phase_ms,
        )


def group_of(driver: type[FakeDriver], gid: int) -> Group:
    """Name the channels as the node does: `<sensor>/<quantity>`."""
    named = (replace(channel, name=f"s{gid}/{channel.name}") for channel in driver.channels)
    return Group(gid, tuple(named))
