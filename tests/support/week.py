"""A node through many days of simulated time: real workers, spool and city, a hand-made world."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from edgenode.errors import BusError
from edgenode.reading import Channel, Event, Group, Kind, Sample
from edgenode.sensing import BusWorker, Job
from tests.support.road import Road, World
from tests.support.sensing import FakeCounter, FakeDriver

EVERY_MS = 30_000
GAUGES = {1: "air", 2: "road", 3: "noise"}
COUNTER = 4
BUSES = {"wire": (1, 2), "line": (3,), "pins": (COUNTER,)}


class Serial(FakeDriver):
    """Each read gives a number that was never given before."""

    channels: ClassVar[tuple[Channel, ...]] = (Channel("serial", "count", kind=Kind.COUNTER),)


class Pulses(FakeCounter):
    """Counts what the street gave since it was opened; the street goes on without it."""

    def __init__(self, street: Street) -> None:
        super().__init__()
        self._street, self._from = street, street.pulses

    def feed(self, now_ms: int) -> Sequence[Event]:
        self.count = self._street.pulses - self._from
        return ()

    def read(self, now_ms: int) -> Sample:
        self.feed(now_ms)
        return Sample((self.count,))


class Street:
    """What really happens, and the instruments' own log of it: in a file, as memory is judged."""

    def __init__(self, world: World, log: Path) -> None:
        self.world = world
        self.pulses = 0
        self.down: set[str] = set()
        self._log = log
        self._file = log.open("w", encoding="ascii")
        self._serial = itertools.count(1)

    def said(self) -> dict[tuple[str, int], int]:
        """Return every reading that was given: (channel, value) -> true POSIX ms."""
        self._file.flush()
        rows = (line.split() for line in self._log.read_text("ascii").splitlines())
        return {(channel, int(value)): int(true) for channel, value, true in rows}

    def read(self, name: str) -> Sample:
        if name in self.down:
            raise BusError("fake: no acknowledge")
        serial = next(self._serial)
        self._file.write(f"{name}/serial {serial} {self.world.true}\n")
        return Sample((serial,))


class Used(NamedTuple):
    """What the process held at one moment."""

    objects: int  # that may refer to others
    rss_kib: int
    descriptors: int


class Week(Road):
    """One node whose sensors are read by the bus workers that the daemon has."""

    groups: ClassVar[dict[int, Group]] = {
        gid: Group(gid, (replace(channel, name=f"{name}/{channel.name}", period_ms=EVERY_MS),))
        for gid, name, (channel,) in (
            *((gid, name, Serial.channels) for gid, name in GAUGES.items()),
            (COUNTER, "loop", Pulses.channels),
        )
    }

    def __init__(self, directory: Path, world: World) -> None:
        self.street = Street(world, directory / "said")
        self.workers: list[BusWorker] = []
        self.evenings: list[Used] = []
        self.cuts: list[int] = []  # true POSIX ms
        super().__init__(directory, world)

    def start(self) -> None:
        super().start()
        self.workers = [
            BusWorker(
                bus, [self._job(gid) for gid in gids], self.spool, self.world, threading.Event()
            )
            for bus, gids in BUSES.items()
        ]

    def _job(self, gid: int) -> Job:
        name = GAUGES.get(gid, "loop")
        return Job(
            name,
            self.groups[gid],
            lambda: (
                Pulses(self.street) if gid == COUNTER else Serial(lambda _: self.street.read(name))
            ),
            EVERY_MS,
            stamp_ms=50,
            phase_ms=gid * 100,
        )

    def live(self, hours: float) -> None:
        """Let time pass, half a minute a turn: the street, the workers, the spool."""
        for _ in range(round(hours * 3_600_000 / EVERY_MS)):
            self.street.pulses += 9
            for worker in self.workers:
                worker.turn()
            self.spool.step()
            self.world.advance(EVERY_MS)

    def close_workers(self) -> None:
        """Let the sensors' descriptors go, as the end of the process would."""
        for worker in self.workers:
            for runner in worker._runners:
                runner.close()
            worker._selector.close()
        self.workers = []

    def power_cut(self, off_ms: int = 60_000) -> None:
        self.close_workers()
        super().power_cut(off_ms)

    def stop(self) -> None:
        self.close_workers()
        super().stop()
