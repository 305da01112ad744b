"""A meter that keeps a total by itself, read by a runner over restarts and reboots."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from edgenode.driver import Driver
from edgenode.errors import BusError
from edgenode.reading import Channel, Event, EventCode, Group, Kind, Quality, Sample
from edgenode.sensing import SensorRules, channels_of
from edgenode.sensing.job import Job
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch
from tests.support.clock import FakeClock
from tests.support.sensing import FakeDriver, FakeSink

STEPS = 100  # a kWh


class Meter(FakeDriver):
    """Keeps an energy in steps of 10 Wh, beside a voltage, and may say which meter it is."""

    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("voltage", "V", -1),
        Channel("energy", "kWh", -2, kind=Kind.COUNTER),
    )
    number = ""

    def identities(self) -> dict[str, str]:
        return {"energy": self.number}


class Site:
    """A meter in a runner, read each second; `start` is a start of the daemon."""

    def __init__(self, rules: SensorRules | None = None, cls: type[Meter] = Meter) -> None:
        self.clock, self.sink = FakeClock(), FakeSink()
        self.rules, self.cls = rules or SensorRules(), cls
        named = (replace(c, name=f"s1/{c.name}") for c in channels_of(cls.channels, self.rules))
        self.group = Group(1, tuple(named))
        self.energy: float | None = 1551.37
        self.quality: tuple[Quality, ...] = ()
        self.events: tuple[Event, ...] = ()
        self.number = ""
        self.broken = False
        self.start()

    def start(self) -> None:
        job = Job("s1", self.group, self._opened, every_ms=1000, stamp_ms=50, rules=self.rules)
        watch = Watch(self.sink, self.clock)
        self.runner = Runner(job, self.sink, self.clock, watch, Lateness())

    def reboot(self) -> None:
        self.clock.reboot()
        self.sink.epoch += 1
        self.start()

    def read(self, energy: float | None = None) -> tuple[float | None, Quality]:
        """Let the next slot come; return the energy of its row and how good it is."""
        self.energy = self.energy if energy is None else energy
        self.clock.advance(max(0, self.runner.schedule.due_ms - self.clock.boot))
        self.runner.serve(self.clock.boot_ms())
        return self.newest("energy")

    def newest(self, quantity: str) -> tuple[float | None, Quality]:
        """Return what the newest row has of a quantity."""
        sample = self.sink.of(1)[-1][1]
        n = [channel.name for channel in self.group.channels].index(f"s1/{quantity}")
        return sample.values[n], sample.quality[n] if sample.quality else Quality.OK

    def lose(self, slots: int = 3) -> None:
        self.broken = True
        for _ in range(slots):
            self.read()
        self.broken = False
        self.clock.advance(60_000)  # past the breaker

    def told(self) -> list[tuple[int, ...]]:
        """The resets, whether they came with a sample or by themselves."""
        rows = [event for _, _, sample in self.sink.rows for event in sample.events]
        every = [*rows, *(event for _, _, event in self.sink.events)]
        values = [event.value for event in every if event.code == EventCode.COUNTER_RESET]
        return [value for value in values if isinstance(value, tuple)]

    def _opened(self) -> Driver:
        if self.broken:
            raise BusError("no meter answers")
        made = self.cls(self._sample)
        made.number = self.number
        return made

    def _sample(self, now_ms: int) -> Sample:
        if self.broken:
            raise BusError("no meter answers")
        return Sample((230.0, self.energy), self.quality, self.events)
